// Every piece of text whose contrast with what is behind it falls short of WCAG 2 AA: 4.5 to 1, large text 3 to 1.
() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  // The canvas knows every notation of a colour: [red, green, blue, opacity]
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.unshift(rgba(getComputedStyle(each).backgroundColor));
    return layers.reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((each) => {
      const share = each / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const short = [], seen = new Set();
  let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(element) || !element.checkVisibility()) continue;
    seen.add(element);
    looked += 1;
    const style = getComputedStyle(element), back = behind(element);
    const ink = over(rgba(element.ownerSVGElement ? style.fill : style.color), back);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio(ink, back) < (large ? 3 : 4.5)) {
      short.push(`${element.tagName.toLowerCase()}.${element.getAttribute('class') || ''} ` +
        `"${walker.currentNode.data.trim().slice(0, 30)}": ${ratio(ink, back).toFixed(2)}`);
    }
  }
  return { looked, short };
}
