/**
 * The inner loop of matmul and attention on CPU adapters. One subgroup computes `rows` rows by four columns per lane; each lane holds its
 * columns of every row in registers. Per step of 4 k all loads come first: every lane loads its share of the A tile and its own 4 x 4 block of
 * B. Then each element of A goes to all lanes by a subgroup broadcast, which costs one instruction where a load costs five, and each sum is
 * updated once, by four products. There is no workgroup memory and no barrier: those are coroutine switches on a CPU.
 */
import { range } from '../../base/whole-numbers';
import { readColumns } from './block';

export interface ProductOperand {
  /** Whether k is the contiguous dimension; otherwise the rows of A, or the columns of B, are. */
  readonly alongK: boolean;
  /** WGSL of the four elements that start at a row of A, or a column of B, and k. A lane loads A in several shares, numbered from 0. */
  readonly load: (free: string, k: string, share: number) => string;
}

export interface Product {
  readonly lanes: number;
  /** Rows of the tile, a multiple of `lanes` and of 4. */
  readonly rows: number;
  /** WGSL of the k to start at (default 0) and to end before; steps are of 4. */
  readonly firstK?: string;
  readonly endK: string;
  readonly a: ProductOperand;
  readonly b: ProductOperand;
  /** Statements for each share of A after its loading as `a<share>`. */
  readonly use?: (share: number) => string;
  /** Prefix of the sums' names: row i is `<name>i`, a vec4 of columns. */
  readonly name: string;
}

/** WGSL that declares the sums and computes them. In scope: `row` (first of the tile), `column` (first of the lane), `sgLane`. */
export function productLoop({ lanes, rows, firstK = '0u', endK, a, b, use, name }: Product): string {
  const quads = rows / 4;
  const shares = range(rows / lanes);
  // Along k, unit i of the A tile is row i; along the rows, it is four rows at k + i / quads.
  const loadA = (share: number): string => {
    const unit = `(${share * lanes}u + sgLane)`;
    return a.alongK
      ? a.load(`(row + ${unit})`, 'k', share)
      : a.load(`(row + ${unit} % ${quads}u * 4u)`, `(k + ${unit} / ${quads}u)`, share);
  };
  const element = (i: number, q: number): string => {
    const [unit, component] = a.alongK ? [i, q] : [q * quads + (i >> 2), i % 4];
    return `subgroupBroadcast(a${Math.floor(unit / lanes)}[${component}], ${unit % lanes}u)`;
  };
  const columns = readColumns(4, b.alongK, (free, k) => b.load(`(column + ${free}u)`, `(k + ${k}u)`, 0));
  const update = (i: number): string => {
    const [p0, p1, p2, p3] = range(4).map((q) => `${element(i, q)} * ${columns.vector(0, q)}`);
    return `${name}${i} += (${p0} + ${p1}) + (${p2} + ${p3});`;
  };
  return `
  ${range(rows)
    .map((i) => `var ${name}${i} = vec4<f32>();`)
    .join(' ')}
  for (var k = ${firstK}; k < ${endK}; k += 4u) {
    ${[...shares.map((share) => `let a${share} = ${loadA(share)};`), ...columns.lines, ...shares.map((share) => use?.(share) ?? ''), ...range(rows).map(update)].join('\n    ')}
  }`;
}

/** Per-row values held one row per lane (`<name>0` the first `lanes` rows, ...): WGSL of row i's, known to every lane. */
export const rowValue = (name: string, i: number, lanes: number): string =>
  `subgroupBroadcast(${name}${Math.floor(i / lanes)}, ${i % lanes}u)`;

/**
 * WGSL of an array of `expression(i)` for each row, for a loop to walk. It is one element longer than the loop can be: Mesa repeats the body
 * of a loop for every element of an array that it walks from end to end, and compiles a long epilogue up to 25 times as long.
 */
export const rowArray = (rows: number, expression: (i: number) => string): string =>
  `array<vec4<f32>, ${rows + 1}>(${[...range(rows).map(expression), 'vec4<f32>()'].join(', ')})`;
