/**
 * The matmul kernel of GPUs: tiles in workgroup memory, blocks in registers. A workgroup computes `rows` x `columns` elements of C in steps
 * of `depth` k: it copies its tiles of A and B to workgroup memory, each element once, and every invocation then updates a block of C in
 * registers from there. While one step is computed, the next one's elements are already on their way. Tiles keep the layout of their
 * matrix, in vec4 units, so that loads are coalesced whichever dimension is contiguous.
 */
import { range } from '../../base/whole-numbers';
import type { Kernel } from '../../graph/op';
import { declareSums, readColumns, readRows, sumsArray } from './block';
import { loopLoad, type Operand } from './operand';
import type { MatmulProblem } from './problem';
import { tiledKernel } from './tiled-kernel';

export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Rows and columns of C per invocation, multiples of 4. */
  readonly blockRows: number;
  readonly blockColumns: number;
}

export const tileName = ({ rows, columns, depth, blockRows, blockColumns }: Tile): string =>
  `tile ${rows}x${columns}x${depth} by ${blockRows}x${blockColumns}`;

export const tileInvocations = ({ rows, columns, blockRows, blockColumns }: Tile): number =>
  (rows / blockRows) * (columns / blockColumns);

/** Bytes of workgroup memory, whatever the layouts. */
export const tileBytes = ({ rows, columns, depth }: Tile): number => 4 * (rows * depth + columns * (depth + 4));

export function tileMatmul(problem: MatmulProblem, tile: Tile): Kernel {
  const { a, b } = problem;
  const { rows, columns, depth, blockRows, blockColumns } = tile;
  const invocations = tileInvocations(tile);
  const across = columns / blockColumns;
  const vectors = blockColumns / 4;
  const sharedA = sharedTile(a, rows, depth, invocations, false);
  const sharedB = sharedTile(b, columns, depth, invocations, true);
  const blockA = readRows(blockRows, a.alongK, (free, k) => sharedA.read(`row + ${free}u`, `k + ${k}u`));
  // Neighbouring invocations hold neighbouring vec4 of columns; an invocation's own are `across` of them apart.
  const blockB = readColumns(blockColumns, b.alongK, (free, k) =>
    sharedB.read(`column + ${(free >> 2) * across * 4 + (free % 4)}u`, `k + ${k}u`),
  );
  const update = (i: number): string[] =>
    range(4).map(
      (k) =>
        `c${i} = fma(vec4<f32>(${blockA.element(Math.floor(i / vectors), k)}), ${blockB.vector(i % vectors, k)}, c${i});`,
    );
  const count = blockRows * vectors;
  const body = `
  let row = lane / ${across}u * ${blockRows}u;
  let column = lane % ${across}u * 4u;
  ${declareSums(count)}
  ${[...sharedA.begin(), ...sharedB.begin()].join('\n  ')}
  for (var step = firstK; step < endK; step += ${depth}u) {
    ${[...sharedA.keep(), ...sharedB.keep()].join('\n    ')}
    workgroupBarrier();
    ${[...sharedA.fetch(`step + ${depth}u`), ...sharedB.fetch(`step + ${depth}u`)].join('\n    ')}
    for (var k = 0u; k < ${depth}u; k += 4u) {
      ${[...blockA.lines, ...blockB.lines, ...range(count).flatMap(update)].join('\n      ')}
    }
    workgroupBarrier();
  }
  ${sumsArray(count)}
  // not a constant bound, lest the driver's compiler repeat the epilogue for every vector
  for (var i = 0u; i < min(${blockRows}u, max(M, tileRow + row) - tileRow - row) * ${vectors}u; i++) {
    store(outer, tileRow + row + i / ${vectors}u, tileColumn + column + i % ${vectors}u * ${across * 4}u, c[i]);
  }`;
  return tiledKernel(problem, { rows, columns, workgroupSize: invocations, depth, prefetches: true }, body, [
    sharedA.declaration,
    sharedB.declaration,
  ]);
}

interface SharedTile {
  readonly declaration: string;
  /** Statements before the loop, which load this invocation's units of the first step. */
  begin(): string[];
  /** Loads those of the step that starts at k. */
  fetch(k: string): string[];
  /** Writes them to workgroup memory. */
  keep(): string[];
  /** The unit at an element of the tile. */
  read(free: string, k: string): string;
}

/** A tile of an operand in workgroup memory. `scattered`: neighbouring invocations read neighbouring groups of four, not the same one. */
function sharedTile(
  operand: Operand,
  size: number,
  depth: number,
  invocations: number,
  scattered: boolean,
): SharedTile {
  const { name, alongK } = operand;
  const tile = `tile${name}`;
  const units = (size * depth) / 4;
  const perRow = (alongK ? depth : size) / 4;
  // Units along k, read by neighbours four columns apart: sorted by column modulo 4 and padded to odd rows, they fall in different banks.
  const spread = alongK && scattered;
  const pitch = spread ? perRow + 1 : perRow;
  const place = (outer: string, inner: string): string =>
    spread
      ? `((${outer}) % 4u * ${size / 4}u + (${outer}) / 4u) * ${pitch}u + (${inner}) / 4u`
      : `(${outer}) * ${pitch}u + (${inner}) / 4u`;
  const shares = range(Math.ceil(units / invocations));
  const unit = (share: number): string => `(lane + ${share * invocations}u)`;
  const outer = (share: number): string => `${unit(share)} / ${perRow}u`;
  const inner = (share: number): string => `${unit(share)} % ${perRow}u * 4u`;
  const origin = name === 'A' ? 'tileRow' : 'tileColumn';
  const own = loopLoad(operand);
  const fetched = (share: number, k: string): string => {
    const [free, depthwise] = alongK ? [outer(share), inner(share)] : [inner(share), outer(share)];
    return `next${name}${share} = ${own.load(`${origin} + ${free}`, `${k} + ${depthwise}`)};`;
  };
  return {
    declaration: `var<workgroup> ${tile}: array<vec4<f32>, ${alongK ? size * pitch : depth * pitch}>;`,
    begin: () => {
      const first = shares.map((share) => `var ${fetched(share, 'firstK')}`);
      return [own.before(), ...first];
    },
    fetch: (k) => shares.map((share) => fetched(share, k)),
    keep: () =>
      shares.map((share) => {
        const write = `${tile}[${place(outer(share), inner(share))}] = next${name}${share};`;
        return (share + 1) * invocations <= units ? write : `if (${unit(share)} < ${units}u) { ${write} }`;
      }),
    read: (free, k) => `${tile}[${alongK ? place(free, k) : place(k, free)}]`,
  };
}
