#!/bin/sh
# Succeed when the machine has a Java that Spark 3.5 is tested with: 17.
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
"$java" -version 2>&1 | grep -q 'version "17\.'
