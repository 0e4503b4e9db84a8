/**
 * Scores, weights and sums of an attention kernel on subgroup matrices (`matrix-kernel.ts`). Matrices write scores as f32 and read weights as f16, lanes
 * do the opposite. Each subgroup has rows of its own; those of its lanes are sgLane % M, so that lanes side by side reach different banks.
 */
import { range } from '../../base/whole-numbers';
import { bufferSize } from './matrix-copies';
import { leftType, type MatrixScope, matricesOf, resultType, rightType } from './matrix-scope';
import { scorePitch, tileRows, tokenPitch, weightPitch } from './matrix-tile';
import type { Tokens } from './tokens';

/** As a score, so low that its weight is zero. */
const NONE = '-3.4028234e38';

/** The columns' matrix that starts at a token and an element. */
function columnMatrix(
  scope: MatrixScope,
  order: 'row_major' | 'col_major',
  { of, token, element }: { of: number; token: string; element: number },
): string {
  const { tile, dims } = scope;
  const pitch = tokenPitch(dims.d);
  return `subgroupMatrixLoad<${rightType(tile)}, ${order}>(&tokens, step * ${bufferSize(scope)}u + ${of * tile.columns * pitch + element / 8}u + ${token} * ${pitch}u, ${pitch}u)`;
}

/** Where the subgroup's rows of an area of scores begin, and its stride. */
const ownScores = ({ tile }: MatrixScope, area: number): string =>
  `${area * tileRows(tile) * scorePitch(tile)}u + sgId * ${tile.M * scorePitch(tile)}u`;

/** Scores of an area: its rows times its columns, as far as there are any. */
export function computeScores(scope: MatrixScope, area: number): string {
  const { tile, dims } = scope;
  const { N, K } = tile;
  const products = range(dims.d / K).map(
    (x) => `        let b${x} = ${columnMatrix(scope, 'col_major', { of: area, token: 'column', element: x * K })};
        sums = subgroupMatrixMultiplyAccumulate(a${area}_${x}, b${x}, sums);`,
  );
  return `      for (var column = 0u; column < computed; column += ${N}u) {
        var sums = ${resultType(tile)}();
${products.join('\n')}
        subgroupMatrixStore<row_major>(&scores, ${ownScores(scope, area)} + column / 4u, sums, ${scorePitch(tile)}u);
      }`;
}

/** WGSL of the lane's i-th four scores. */
const scoreAt = ({ tile }: MatrixScope, area: number, i: number): string =>
  `scores[${area * tileRows(tile) * scorePitch(tile) + i}u + ownRow * ${scorePitch(tile)}u + at]`;

const AREA_NAMES = ['s', 'g'];

/** Declares `s0..` and `g0..`, four of the lane's scores each. */
export function readScores(scope: MatrixScope): string {
  const { areas, vectors, tile } = scope;
  const read = range(areas.scores).flatMap((area) =>
    vectors.map((i) => `      var ${AREA_NAMES[area]}${i} = ${scoreAt(scope, area, i)};`),
  );
  const exist = (i: number): string => `at * 4u + vec4<u32>(${range(4).map((j) => `${4 * i + j}u`)}) < vec4<u32>(left)`;
  return `${read.join('\n')}
      if (left < ${tile.columns}u) {
${vectors.map((i) => `        s${i} = select(vec4<f32>(${NONE}), s${i}, ${exist(i)});`).join('\n')}
      }`;
}

const halves = (value: string): string => `bitcast<vec2<u32>>(vec4<f16>(${value}))`;

/** Puts `value(i)`, vec4 of f32, as the lane's weights. */
export function putWeights({ tile, vectors }: MatrixScope, area: number, value: (i: number) => string): string {
  const place = `${area * tileRows(tile) * weightPitch(tile)}u + ownRow * ${weightPitch(tile)}u + at / 2u`;
  return range(vectors.length / 2)
    .map((i) => `      weights[${place} + ${i}u] = vec4<u32>(${halves(value(2 * i))}, ${halves(value(2 * i + 1))});`)
    .join('\n');
}

/** Declares `<name>0..`. */
export const declareSums = (scope: MatrixScope, name: string): string =>
  matricesOf(scope)
    .map((j) => `var ${name}${j} = ${resultType(scope.tile)}();`)
    .join(' ');

/** sums += weights columns. */
export function addProduct(scope: MatrixScope, name: string, weights: number, of: 0 | 1): string {
  const { tile } = scope;
  const pitch = weightPitch(tile);
  const own = `${weights * tileRows(tile) * pitch}u + sgId * ${tile.M * pitch}u + column / 8u`;
  const products = matricesOf(scope).map(
    (j) => `        let b${j} = ${columnMatrix(scope, 'row_major', { of, token: 'column', element: j * tile.N })};
        ${name}${j} = subgroupMatrixMultiplyAccumulate(w, b${j}, ${name}${j});`,
  );
  return `      for (var column = 0u; column < computed; column += ${tile.K}u) {
        let w = subgroupMatrixLoad<${leftType(tile)}, row_major>(&weights, ${own}, ${pitch}u);
${products.join('\n')}
      }`;
}

/** As many matrices of the sums as the memory of the scores holds. */
interface Round {
  readonly number: number;
  /** Numbers of the matrices, and WGSL of their places. */
  readonly matrices: readonly { readonly j: number; readonly place: string }[];
}

function rounds(scope: MatrixScope): Round[] {
  const { tile, dims } = scope;
  const each = tile.columns / tile.N;
  return range(Math.ceil(dims.d / tile.columns)).map((number) => ({
    number,
    matrices: matricesOf(scope)
      .slice(number * each, (number + 1) * each)
      .map((j, i) => ({ j, place: `${ownScores(scope, 0)} + ${(i * tile.N) / 4}u` })),
  }));
}

/** Puts the sums of a round where the lanes see them. */
const showSums = ({ tile }: MatrixScope, name: string, { matrices }: Round): string => `
    if (working) {
${matrices
  .map(({ j, place }) => `      subgroupMatrixStore<row_major>(&scores, ${place}, ${name}${j}, ${scorePitch(tile)}u);`)
  .join('\n')}
    }
    workgroupBarrier();`;

/** Multiplies the rows of the sums by the lanes' `factor`. */
export function scaleRows(scope: MatrixScope, name: string, factor: string): string {
  const { tile, vectors } = scope;
  const load = `subgroupMatrixLoad<${resultType(tile)}, row_major>`;
  return rounds(scope)
    .map(
      (round) => `${showSums(scope, name, round)}
    if (working) {
${vectors.map((i) => `      ${scoreAt(scope, 0, i)} *= ${factor};`).join('\n')}
    }
    workgroupBarrier();
    if (working) {
${round.matrices.map(({ j, place }) => `      ${name}${j} = ${load}(&scores, ${place}, ${scorePitch(tile)}u);`).join('\n')}
    }
    workgroupBarrier();`,
    )
    .join('\n');
}

/** Writes the sums, each row times the lane's `factor`, as the rows of `to`. */
export function storeRows(scope: MatrixScope, name: string, to: Tokens, factor: string): string {
  const { tile, dims, tokens, N, vectors } = scope;
  const put = tokens.storeEight(to);
  const four = (i: number): string => halves(`${scoreAt(scope, 0, i)} * ${factor}`);
  const eight = (number: number, i: number): string => {
    const unit = `(at / 2u + ${(number * tile.columns) / 8 + i}u)`;
    const inside = (number + 1) * tile.columns > dims.d ? ` && ${unit} < ${dims.d / 8}u` : '';
    return `      if (row < ${N}${inside}) { ${put('row', unit, `vec4<u32>(${four(2 * i)}, ${four(2 * i + 1)})`)} }`;
  };
  return rounds(scope)
    .map(
      (round) => `${showSums(scope, name, round)}
    if (working) {
${range(vectors.length / 2)
  .map((i) => eight(round.number, i))
  .join('\n')}
    }
    workgroupBarrier();`,
    )
    .join('\n');
}
