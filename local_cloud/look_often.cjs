// The CDK command line looks how far stacks are every two and every five seconds, as is right on AWS and can't
// be set. A local cloud has them ready sooner: with `node --require` of this, it looks five times a second.
const { setTimeout: later } = globalThis;

function sooner(callback, delay, ...rest) {
  return later(callback, delay === 2000 || delay === 5000 ? 200 : delay, ...rest);
}

Object.defineProperties(sooner, Object.getOwnPropertyDescriptors(later)); // what `util.promisify` goes by
globalThis.setTimeout = sooner;
