/** What the set-up is doing and how long it took: a line when a stage begins and one when it ends; on a terminal, seconds that pass below. */

import { Interrupted } from './errors.mjs';

const stream = process.stderr;
const underWay = new Map();
let ticking;
let shown = false;

/** Runs `work`, which takes seconds or more, as a stage of that name. It fails by throwing, or by an answer whose `ok` is false. */
export async function stage(name, says, work) {
  const began = Date.now();
  say(`${name}: ${says} ...`);
  underWay.set(name, began);
  if (stream.isTTY) ticking ??= setInterval(tick, 1000);
  let outcome = 'failed after';
  try {
    const result = await work();
    if (result?.ok !== false) outcome = 'done in';
    return result;
  } catch (error) {
    if (error instanceof Interrupted) outcome = 'stopped after';
    throw error;
  } finally {
    underWay.delete(name);
    say(`${name}: ${outcome} ${seconds(began)}`);
    if (underWay.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  }
}

/** Prints a line, above the seconds. */
export function say(text) {
  if (shown) stream.write('\r\x1b[K');
  shown = false;
  stream.write(`${text}\n`);
}

function tick() {
  stream.write(`\r\x1b[K${[...underWay].map(([name, began]) => `${name}: ${seconds(began)}`).join(', ')}`);
  shown = true;
}

const seconds = (began) => `${Math.round((Date.now() - began) / 1000)} s`;
