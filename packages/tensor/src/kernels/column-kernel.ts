/**
 * Kernels that reduce the rows of matrices: sums of columns, such as the gradients of biases. Seen as [outer, n, units], a unit being one column or a vector of
 * four, the n rows come in parts, and a later pass takes the parts for rows. On a software adapter one thread walks the rows of its unit. On a GPU that would leave
 * it a few long loops, each step of which waits for memory: there a workgroup is a tile, some neighbouring units wide, whose threads share the
 * rows of a part between them, read four at a time, and put what they found together through a tree in workgroup memory. Every order is fixed.
 */
import type { Kernel } from '../graph/op';
import type { KernelBuilder, KernelSource } from './kernel-builder';
import { threadsOfGroup } from './unit-kernel';

export type ColumnDims = readonly [outer: number, n: number, units: number];

/** How the rows of a column are divided. */
export interface ColumnLayout {
  readonly parts: number;
  /** Threads that share the rows of one unit of a part: a power of two. */
  readonly sharers: number;
}

export interface ColumnBody extends Pick<KernelSource, 'declarations' | 'flops' | 'kind' | 'touched'> {
  readonly dims: ColumnDims;
  readonly layout: ColumnLayout;
  /** WGSL type of what is reduced, a unit in f32, and the value to start from. */
  readonly type: string;
  readonly start: string;
  readonly combine: (a: string, b: string) => string;
  /** Whether `row` writes memory: the loads of one wait for the one before then, and four at a time are no gain. */
  readonly writes?: boolean;
  /** How many values of each column are reduced side by side (default 1). */
  readonly values?: number;
  /** What a row brings: statements, and an expression for each value. `at` is the unit's index in [outer, n, units]; names that it declares end in `suffix`. */
  readonly row: (
    at: string,
    row: string,
    suffix: string,
  ) => { readonly lines?: string; readonly values: readonly string[] };
  /** Statement that puts the results of a column where they belong; `at` is the unit's index in [outer, parts, units]. */
  readonly put: (at: string, results: readonly string[]) => string;
}

/** Threads of a tile, and its most units: 16 vectors of f16 are a line of a GPU's cache. */
const TILE = 256;
const TILE_UNITS = 16;
/** Threads that keep a GPU's memory busy. */
const ENOUGH_THREADS = 131072;
/** Rows that a thread of a tile takes: as few as fill the GPU, within these. */
const LEAST_ROWS = 4;
const MOST_ROWS = 64;
/** Rows of a thread for which a second kernel would take longer than the rest of these. */
const ROWS_OF_ONE_PASS = 32;
/** So few rows are no work to share. */
const FEW_ROWS = 16;

/** The layout of a pass on a GPU: no thread takes more than 64 rows. */
export function wideLayout([outer, n, units]: ColumnDims): ColumnLayout {
  if (n <= FEW_ROWS || (n <= MOST_ROWS && outer * units >= ENOUGH_THREADS)) return { parts: 1, sharers: 1 };
  const sharers = TILE / tileUnits(units);
  return n <= sharers * ROWS_OF_ONE_PASS ? { parts: 1, sharers } : summedLayout([outer, n, units]);
}

/** The layout of a pass on a GPU that another follows in any case. */
export function summedLayout([outer, n, units]: ColumnDims): ColumnLayout {
  const sharers = TILE / tileUnits(units);
  const rows = Math.min(Math.max(Math.ceil((outer * n * units) / ENOUGH_THREADS), LEAST_ROWS), MOST_ROWS);
  return { parts: Math.ceil(n / (sharers * rows)), sharers };
}

/** Units that a tile is wide: a power of two. */
const tileUnits = (units: number): number => Math.min(2 ** Math.ceil(Math.log2(Math.max(units, 1))), TILE_UNITS);

export const columnKernel = (k: KernelBuilder, body: ColumnBody): Kernel =>
  body.layout.sharers === 1 ? threadPerUnit(k, body) : tilePerPart(k, body);

const accumulators = ({ values = 1 }: ColumnBody): string[] => Array.from({ length: values }, (_, v) => `acc${v}`);

/** Takes a row in. */
function takeRow(body: ColumnBody, at: string, row: string, suffix: string): string {
  const { lines = '', values } = body.row(at, row, suffix);
  return `${lines} ${accumulators(body)
    .map((acc, v) => `${acc} = ${body.combine(acc, values[v]!)};`)
    .join(' ')}`;
}

const declare = (body: ColumnBody): string =>
  accumulators(body)
    .map((acc) => `var ${acc} = ${body.start};`)
    .join(' ');

function threadPerUnit(k: KernelBuilder, body: ColumnBody): Kernel {
  const [outer, n, units] = body.dims;
  const { parts } = body.layout;
  const rows = Math.ceil(n / parts);
  const total = outer * parts * units;
  const [columns, down, size, count] = [units, parts, rows, n].map(k.uniform);
  const workgroupSize = threadsOfGroup(total, k.target);
  return k.build({
    ...source(body),
    body: `
  if (thread >= ${k.uniform(total)}) { return; }
  let column = thread % ${columns};
  let first = (thread / ${columns}) % ${down} * ${size};
  let last = min(first + ${size}, ${count});
  let base = thread / ${columns} / ${down} * ${count};
  ${declare(body)}
  for (var row = first; row < last; row++) { ${takeRow(body, `((base + row) * ${columns} + column)`, '(base + row)', '')} }
  ${body.put('thread', accumulators(body))}`,
    workgroupSize,
    workgroups: Math.ceil(total / workgroupSize),
    serial: rows,
  });
}

/** Takes in four rows of a sharer at a time: their loads wait for memory together. */
function takeFour(body: ColumnBody, sharers: number, at: (row: string) => string): string {
  const rows = [0, 1, 2, 3].map((j) => `(base + row + ${j * sharers}u)`);
  const taken = rows.map((row, j) => body.row(at(row), row, `_${j}`));
  const ofFour = (v: number): string => {
    const [a, b, c, d] = taken.map(({ values }) => values[v]!) as [string, string, string, string];
    return body.combine(`(${body.combine(a, b)})`, `(${body.combine(c, d)})`);
  };
  return `for (; row + ${3 * sharers}u < last; row += ${4 * sharers}u) {
      ${taken.map(({ lines = '' }) => lines).join('\n      ')}
      ${accumulators(body)
        .map((acc, v) => `${acc} = ${body.combine(acc, `(${ofFour(v)})`)};`)
        .join(' ')}
    }`;
}

function tilePerPart(k: KernelBuilder, body: ColumnBody): Kernel {
  const [outer, n, units] = body.dims;
  const { parts, sharers } = body.layout;
  const width = TILE / sharers;
  const tiles = Math.ceil(units / width);
  const rows = Math.ceil(n / parts);
  const workgroups = outer * parts * tiles;
  const names = accumulators(body);
  const [columns, across, down, size, count] = [units, tiles, parts, rows, n].map(k.uniform);
  const at = (row: string): string => `(${row} * ${columns} + column)`;
  const share = Math.ceil(rows / sharers);
  return k.build({
    ...source(body),
    declarations: [
      ...names.map((_, v) => `var<workgroup> tree${v}: array<${body.type}, ${TILE}>;`),
      body.declarations ?? '',
    ].join('\n'),
    body: `
  if (group >= ${k.uniform(workgroups)}) { return; }
  let column = group % ${across} * ${width}u + lane % ${width}u;
  let sharer = lane / ${width}u;
  let first = (group / ${across}) % ${down} * ${size};
  let last = min(first + ${size}, ${count});
  let base = group / ${across} / ${down} * ${count};
  ${declare(body)}
  if (column < ${columns}) {
    var row = first + sharer;
    ${body.writes ? '' : takeFour(body, sharers, at)}
    for (; row < last; row += ${sharers}u) { ${takeRow(body, at('(base + row)'), '(base + row)', '')} }
  }
  ${names.map((acc, v) => `tree${v}[lane] = ${acc};`).join(' ')}
  for (var half = ${k.uniform(TILE / 2)}; half >= ${width}u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { ${names.map((_, v) => `tree${v}[lane] = ${body.combine(`tree${v}[lane]`, `tree${v}[lane + half]`)};`).join(' ')} }
  }
  if (sharer == 0u && column < ${columns}) { ${body.put(
    `(group / ${across} * ${columns} + column)`,
    names.map((_, v) => `tree${v}[lane]`),
  )} }`,
    workgroupSize: TILE,
    workgroups,
    serial: body.writes ? share : Math.floor(share / 4) + (share % 4),
  });
}

const source = ({ declarations, flops, kind, touched }: ColumnBody) => ({
  ...(declarations !== undefined && { declarations }),
  ...(flops !== undefined && { flops }),
  ...(kind !== undefined && { kind }),
  ...(touched !== undefined && { touched }),
});
