/**
 * Who may import whom: a package sees only packages of the layers below its own, so that each can be taken without the
 * rest. Applications, examples and benchmarks stand above all of them.
 */
const layers: readonly (readonly string[])[] = [
  ['tensor', 'cyclic-mask', 'checkpoint'],
  ['nn', 'data'],
  ['vit', 'matryoshka-heads', 'sinkhorn', 'losses', 'rasa'],
  ['pretraining'],
  ['evals', 'viz'],
];

/** Packages whose main entry must load in a browser: no Node built-in and no native module is reachable from it. */
export const browserPackages: readonly string[] = [
  'tensor',
  'cyclic-mask',
  'nn',
  'vit',
  'matryoshka-heads',
  'sinkhorn',
  'losses',
  'pretraining',
  'rasa',
  'evals',
  'viz',
];

/** Position of a package in `layers`; undefined for a package that is not listed. */
export function layerOf(name: string): number | undefined {
  const layer = layers.findIndex((names) => names.includes(name));
  return layer < 0 ? undefined : layer;
}

/** All packages that have a layer. */
export const layeredPackages = (): string[] => layers.flat();
