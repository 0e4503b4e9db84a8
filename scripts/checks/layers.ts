/**
 * Who may import whom: a package sees only packages of the layers below its own, so that each can be taken without the
 * rest. Applications, examples and benchmarks stand above all of them.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ['collective', 'tensor', 'cyclic-mask', 'checkpoint'],
  ['nn', 'data'],
  ['vit', 'matryoshka-heads', 'sinkhorn', 'losses', 'rasa'],
  ['pretraining', 'onnx'],
  ['evals', 'viz'],
];

/** Entries that need Node, or are for tests there. Every other entry loads in a browser: it reaches no Node built-in and no native module. */
const NODE_ENTRIES: readonly string[] = [
  'checkpoint',
  'collective',
  'data',
  'evals/node',
  'onnx',
  'tensor/node',
  'tensor/testing',
  'viz/node',
];

/** Whether an entry of a package (`vit`, `sinkhorn/arrays`) is for browsers too. */
export const isBrowserEntry = (entry: string): boolean => !NODE_ENTRIES.includes(entry);

/** Position of a package in `LAYERS`; undefined for a package that is not listed. */
export function layerOf(name: string): number | undefined {
  const layer = LAYERS.findIndex((names) => names.includes(name));
  return layer < 0 ? undefined : layer;
}
