#!/usr/bin/env node
/**
 * Starts the program with as many threads for decoding images as there are cores. libuv reads their number when the first of them is needed, which is when
 * the first ES module is read: only what is no such module comes before, and is why this file is none.
 */
const { availableParallelism } = require('node:os');

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

import('../dist/cli.js');
