/**
 * How attention kernels on subgroup matrices bring tokens to workgroup memory (`matrix-kernel.ts`): 16 bytes of one at a time, zero where there
 * is none. Each invocation copies the same number, give or take one.
 */
import { range } from '../../base/whole-numbers';
import { leftType, type MatrixScope } from './matrix-scope';
import { tileRows, tokenPitch } from './matrix-tile';
import type { Tokens } from './tokens';

/** One of the invocation's copies, in WGSL; `first` is the token of row 0. */
interface Copy {
  readonly exists: (first: string) => string;
  readonly token: (first: string) => string;
  readonly unit: string;
  /** Puts a value where it belongs, from `base` on. */
  readonly put: (base: string, value: string) => string;
}

/** The copies of `count` tokens. */
function copies({ tile, dims: { d }, N }: MatrixScope, count: number): Copy[] {
  const perToken = d / 8;
  const [units, invocations] = [count * perToken, tile.subgroups * tile.lanes];
  return range(Math.ceil(units / invocations)).map((i) => {
    const at = `(lane + ${i * invocations}u)`;
    const [row, unit] = [`${at} / ${perToken}u`, `${at} % ${perToken}u`];
    const inside = (i + 1) * invocations > units ? `${at} < ${units}u` : undefined;
    return {
      exists: (first) => `${inside ? `${inside} && ` : ''}${first} + ${row} < ${N}`,
      token: (first) => `(${first} + ${row})`,
      unit: `(${unit})`,
      put: (base, value) =>
        `${inside ? `if (${inside}) ` : ''}{ tokens[${base} + ${row} * ${tokenPitch(d)}u + ${unit}] = ${value}; }`,
    };
  });
}

/** The rows of a subgroup as matrices, `a<i>_0..`: fetched into registers, then declared by way of the memory that the columns will have. */
export function rowMatrices(scope: MatrixScope, own: Tokens, i: number): { fetch: string; declare: string } {
  const { tile, dims, tokens } = scope;
  const load = tokens.loadEight(own);
  const pitch = tokenPitch(dims.d);
  const copied = copies(scope, tileRows(tile)).map((copy, c) => ({ ...copy, name: `copy${i}_${c}` }));
  const matrices = range(dims.d / tile.K).map(
    (x) =>
      `  let a${i}_${x} = subgroupMatrixLoad<${leftType(tile)}, row_major>(&tokens, sgId * ${tile.M * pitch}u + ${(x * tile.K) / 8}u, ${pitch}u);`,
  );
  return {
    fetch: copied
      .map(
        ({ name, exists, token, unit }) =>
          `  var ${name} = vec4<u32>(); if (${exists('row0')}) { ${name} = ${load(token('row0'), unit)}; }`,
      )
      .join('\n'),
    declare: `${copied.map(({ name, put }) => `  ${put('0u', name)}`).join('\n')}
  workgroupBarrier();
${matrices.join('\n')}
  workgroupBarrier();`,
  };
}

/** What travels to the next step: fetched into a register, then kept in the other buffer. */
interface Traveller {
  readonly declaration: string;
  readonly fetch: (first: string) => string;
  readonly keep: (step: string) => string;
}

/** WGSL of an f32 for a column, by its number. */
export type ColumnValue = (column: string) => string;

export interface NextColumns {
  readonly workgroupMemory: string;
  readonly declarations: string;
  readonly fetch: (first: string) => string;
  readonly keep: (step: string) => string;
}

/** The columns' tokens, and values. `step` is 0 or 1, `fetch` takes the first column. */
export function nextColumns(scope: MatrixScope, values: readonly ColumnValue[]): NextColumns {
  const { columns } = scope.tile;
  const travellers = [
    ...scope.columns.flatMap((own, t) => tokenTravellers(scope, own, t)),
    ...values.flatMap((valueAt, v) => valueTravellers(scope, valueAt, v)),
  ];
  const lines = (of: (traveller: Traveller) => string): string => travellers.map(of).join('\n');
  return {
    workgroupMemory:
      values.length > 0 ? `var<workgroup> columnValues: array<vec4<f32>, ${(values.length * columns) / 2}>;` : '',
    declarations: lines(({ declaration }) => declaration),
    fetch: (first) => lines(({ fetch }) => fetch(first)),
    keep: (step) => lines(({ keep }) => keep(step)),
  };
}

/** Elements of 16 bytes of one buffer: the two tensors of a step. */
export const bufferSize = ({ tile, dims }: MatrixScope): number => 2 * tile.columns * tokenPitch(dims.d);

function tokenTravellers(scope: MatrixScope, own: Tokens, t: number): Traveller[] {
  const { tile, dims, tokens } = scope;
  const load = tokens.loadEight(own);
  const base = t * tile.columns * tokenPitch(dims.d);
  return copies(scope, tile.columns).map(({ exists, token, unit, put }, i) => {
    const name = `next${t}_${i}`;
    return {
      declaration: `  var ${name} = vec4<u32>();`,
      fetch: (first) => `    ${name} = vec4<u32>(); if (${exists(first)}) { ${name} = ${load(token(first), unit)}; }`,
      keep: (step) => `    ${put(`${step} * ${bufferSize(scope)}u + ${base}u`, name)}`,
    };
  });
}

function valueTravellers({ tile, N }: MatrixScope, valueAt: ColumnValue, v: number): Traveller[] {
  const vectors = tile.columns / 4;
  const invocations = tile.subgroups * tile.lanes;
  return range(Math.ceil(vectors / invocations)).map((i) => {
    const name = `value${v}_${i}`;
    const at = `(lane + ${i * invocations}u)`;
    const element = (first: string, j: number): string => valueAt(`min(${first} + ${at} * 4u + ${j}u, ${N} - 1u)`);
    return {
      declaration: `  var ${name} = vec4<f32>();`,
      fetch: (first) => {
        const elements = range(4).map((j) => element(first, j));
        return `    if (${at} < ${vectors}u) { ${name} = vec4<f32>(${elements.join(', ')}); }`;
      },
      keep: (step) =>
        `    if (${at} < ${vectors}u) { columnValues[${2 * v * vectors}u + ${step} * ${vectors}u + ${at}] = ${name}; }`,
    };
  });
}

/** WGSL of the v-th values of the lane's i-th four columns. */
export const columnValues = ({ tile }: MatrixScope, v: number, i: number): string =>
  `columnValues[${(v * tile.columns) / 2 + i}u + step * ${tile.columns / 4}u + at]`;
