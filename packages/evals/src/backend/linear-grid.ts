/** What the linear grids of all backends share: checks of heads and batches, and heads in groups and stacks. */
import { checkOption, EvalsError } from '../errors';
import type { Matrix } from '../matrix';
import type { LinearClassifier, LinearGridSpec, LinearGridState, LinearHead } from './eval-backend';

/** Heads that read the same columns, so that one tall weight matrix `[members * C, end - start]` serves them all. */
export interface HeadGroup {
  readonly start: number;
  readonly end: number;
  /** Index of each member in the grid. */
  readonly members: readonly number[];
}

/**
 * The heads of a grid by the columns they read, in order of first appearance.
 *
 * @throws EvalsError `options` when there is no head, or one does not fit the grid
 */
export function groupHeads({ heads, classes, inputs }: LinearGridSpec): HeadGroup[] {
  checkOption(heads.length > 0, 'a grid needs at least one head');
  const groups = new Map<string, number[]>();
  heads.forEach((head, i) => {
    checkHead(head, classes, inputs);
    const key = `${head.start}:${head.end}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()].map((members) => {
    const { start, end } = heads[members[0]!]!;
    return { start, end, members };
  });
}

function checkHead({ start, end }: LinearHead, classes: number, inputs: number): void {
  checkOption(start >= 0 && start < end && end <= inputs, `a head reads columns ${start}..${end} of ${inputs}`);
  checkOption(Number.isInteger(classes) && classes >= 1, `a grid of ${classes} classes; it needs at least one`);
}

/** What a head starts from. @throws EvalsError `options` where that does not fit it */
function initialOf({ start, end, initial }: LinearHead, classes: number): LinearClassifier {
  const { weight, bias } = initial;
  checkOption(
    weight.rows === classes && weight.cols === end - start && bias.length === classes,
    `a head over ${end - start} columns and ${classes} classes starts from weights [${weight.rows}, ${weight.cols}]`,
  );
  return initial;
}

/**
 * How many targets of a batch take part in the loss.
 *
 * @throws EvalsError `features` when rows are too narrow or no whole images; `labels` when there is not one label
 * per row (dense form: per pixel), or one is neither a class nor `ignore`
 */
export function countTargets(
  { inputs, classes, ignore, upsample }: LinearGridSpec,
  x: Matrix,
  labels: Int32Array,
): number {
  const [patches, pixels] = upsample ? [area(upsample.from), area(upsample.to)] : [1, 1];
  if (x.cols < inputs || x.rows % patches !== 0) {
    throw new EvalsError(
      'features',
      `a batch [${x.rows}, ${x.cols}] for heads that read ${inputs} columns of ${patches} rows per item`,
    );
  }
  if (labels.length !== (x.rows / patches) * pixels) {
    throw new EvalsError(
      'labels',
      `${labels.length} labels for ${x.rows / patches} items; each needs ${pixels === 1 ? 'one' : pixels}`,
    );
  }
  let targets = 0;
  for (const label of labels) {
    if (label === ignore) continue;
    if (label < 0 || label >= classes) {
      throw new EvalsError('labels', `label ${label} in a grid of ${classes} classes; they are numbered from 0`);
    }
    targets += 1;
  }
  return targets;
}

/** Heads of a group stacked row by row: weights `[members * C, D]`, biases `[members * C]`. */
export interface HeadStack {
  readonly weight: Float32Array | Float64Array;
  readonly bias: Float32Array | Float64Array;
}

/** What the heads of a group start from, made one head after the other. */
export function stackHeads({ heads, classes }: LinearGridSpec, { start, end, members }: HeadGroup): HeadStack {
  const size = classes * (end - start);
  const weight = new Float32Array(members.length * size);
  const bias = new Float32Array(members.length * classes);
  members.forEach((member, i) => {
    const initial = initialOf(heads[member]!, classes);
    weight.set(initial.weight.data, i * size);
    bias.set(initial.bias, i * classes);
  });
  return { weight, bias };
}

/** The heads of a stack as classifiers of their own, in f32. */
export function unstackHeads({ weight, bias }: HeadStack, classes: number): LinearClassifier[] {
  const cols = weight.length / bias.length;
  return Array.from({ length: bias.length / classes }, (_, i) => ({
    weight: {
      data: new Float32Array(weight.subarray(i * classes * cols, (i + 1) * classes * cols)),
      rows: classes,
      cols,
    },
    bias: new Float32Array(bias.subarray(i * classes, (i + 1) * classes)),
  }));
}

/**
 * One array of a saved grid.
 *
 * @throws EvalsError `options` where it has none of that name, type and length
 */
export function savedPart<T extends Float32Array | Float64Array>(
  saved: LinearGridState,
  name: string,
  type: { new (length: number): T; readonly name: string },
  length: number,
): T {
  const array = saved[name];
  checkOption(
    array instanceof type && array.length === length,
    `the saved grid has ${array ? `${array.length} numbers` : 'nothing'} for ${name} in place of ${length} in a ${type.name}; it is of other heads, or of another backend`,
  );
  return array as T;
}

export const area = ([rows, cols]: readonly [number, number]): number => rows * cols;
