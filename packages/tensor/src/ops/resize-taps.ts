/**
 * Which inputs each output of a resized axis reads, and with which weights: the rows of a banded matrix, computed in f64. Its transpose is a banded
 * matrix too, since neighbouring outputs read the same or neighbouring inputs, and says which outputs each input is read by.
 */

/** How the coordinates of outputs become coordinates of inputs. */
export type Sampling = 'nearest' | 'half-pixel' | 'corners';

export interface Taps {
  /** Number of inputs. */
  readonly from: number;
  /** Of each output, the first input that it reads, and the weights of this one and those after it; no weights for an output that reads none. */
  readonly outputs: readonly Tap[];
}

interface Tap {
  readonly first: number;
  readonly weights: readonly number[];
}

/** `to` outputs of an axis with `from` inputs. */
export const tapsOf = (from: number, to: number, sampling: Sampling): Taps => ({
  from,
  outputs: Array.from({ length: to }, (_, i) => tapAt(sourceOf(i, from, to, sampling), from)),
});

/** Where output i lies among the inputs; each is one division of whole numbers. */
function sourceOf(i: number, from: number, to: number, sampling: Sampling): number {
  if (sampling === 'nearest') return Math.floor((i * from) / to);
  if (sampling === 'corners') return to > 1 ? (i * (from - 1)) / (to - 1) : 0;
  // the centre of pixel i is at i + 1/2
  return Math.min(Math.max(((2 * i + 1) * from - to) / (2 * to), 0), from - 1);
}

/** Between two inputs, or exactly on one, which is then the only one that is read. */
function tapAt(source: number, from: number): Tap {
  const first = Math.min(Math.floor(source), from - 1);
  const t = source - first;
  return { first, weights: t > 0 ? [1 - t, t] : [1] };
}

/** The transposed matrix: for each input, the outputs that read it. */
export function transposed({ from, outputs }: Taps): Taps {
  const readers = Array.from({ length: from }, () => ({ first: 0, weights: [] as number[] }));
  outputs.forEach(({ first, weights }, i) => {
    weights.forEach((weight, j) => {
      const reader = readers[first + j]!;
      if (reader.weights.length === 0) reader.first = i;
      reader.weights[i - reader.first] = weight;
    });
  });
  return { from: outputs.length, outputs: readers };
}

/** The longest list of weights. */
export const widthOf = ({ outputs }: Taps): number => Math.max(0, ...outputs.map(({ weights }) => weights.length));

/** For kernels: of each output the first input, one past the last, and the weights, zeros behind them, [outputs, 2 + width]. */
export function tableOf(taps: Taps): number[] {
  const width = widthOf(taps);
  return taps.outputs.flatMap(({ first, weights }) => [
    first,
    first + weights.length,
    ...Array.from({ length: width }, (_, i) => weights[i] ?? 0),
  ]);
}
