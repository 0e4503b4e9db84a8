/**
 * Subgroup matrices of any shape on an adapter that has none: WGSL that uses them is rewritten to WGSL that computes the same with subgroups alone. A
 * matrix is spread over the lanes by rows when it is loaded (lane `l` of `n` holds rows l, l + n, ...), so that a kernel that overwrites a tile too
 * early computes wrongly here as it would on tensor cores. A product fetches the rows of its right matrix from the lanes that hold them. Loops have
 * bounds that a driver's compiler does not know, so that it leaves them alone: each of these functions stands in a kernel dozens of times.
 */
import type { SubgroupMatrixConfig } from '../base/target';

type Kind = 'left' | 'right' | 'result';
type Scalar = 'f16' | 'f32' | 'u32';

/** The module's variable that a matrix is loaded from or stored to: an array of scalars or of four. */
interface Memory {
  readonly name: string;
  /** It has two dimensions, of which the first is given. */
  readonly indexed: boolean;
  readonly scalar: Scalar;
  readonly width: number;
}

const NAMES = { left: 'MatrixLeft', right: 'MatrixRight', result: 'MatrixResult' } as const;

/** The WGSL module without subgroup matrices, for subgroups of `lanes`; one that has none is returned as it is. */
export function withoutSubgroupMatrices(wgsl: string, lanes: number): string {
  if (!wgsl.includes('subgroup_matrix_')) return wgsl;
  const config = configOf(wgsl);
  const functions = new Map<string, string>();
  const named = wgsl.replaceAll(/subgroup_matrix_(left|right|result)<[^>]*>/g, (_, kind: Kind) => NAMES[kind]);
  const called = withCalls(named, (kind, memory, columnMajor) => {
    const name = [
      kind ? 'load' : 'store',
      kind ?? 'result',
      columnMajor ? 'columns' : 'rows',
      memory.name,
      ...(memory.indexed ? ['at'] : []),
    ].join('_');
    functions.set(
      name,
      kind
        ? loading(name, kind, memory, columnMajor, config, lanes)
        : storing(name, memory, columnMajor, config, lanes),
    );
    return name;
  });
  const [opening, ...rest] = withLanes(called).split('@compute');
  return [
    'diagnostic(off, subgroup_uniformity);\n',
    ...(/enable subgroups;/.test(wgsl) ? [] : ['enable subgroups;\n']),
    opening!.replace('enable chromium_experimental_subgroup_matrix;\n', ''),
    declarations(config, lanes),
    [...functions.values()].join('\n'),
    '\n@compute',
    rest.join('@compute'),
  ].join('');
}

/** The shape of the module's matrices, `<element, columns, rows>`, which are all of one. */
function configOf(wgsl: string): SubgroupMatrixConfig {
  const types = new Map<string, string>();
  for (const [type, kind] of wgsl.matchAll(/subgroup_matrix_(left|right|result)<[^>]*>/g)) {
    const text = type.replaceAll(' ', '');
    if ((types.get(kind!) ?? text) !== text)
      throw new Error(`${text} beside ${types.get(kind!)}: only one shape a module is emulated`);
    types.set(kind!, text);
  }
  const sizes = (kind: Kind): number[] =>
    /<(?:f16|f32),(\d+),(\d+)>/
      .exec(types.get(kind) ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  const [left, right, result] = [sizes('left'), sizes('right'), sizes('result')];
  const [M, N, K] = [left[1] ?? result[1] ?? 8, right[0] ?? result[0] ?? 8, left[0] ?? right[1] ?? 8];
  return { M, N, K };
}

/** Replaces the built-in functions by calls of what `functionFor` names: for a load its kind of matrix is given, for a store none. */
function withCalls(
  wgsl: string,
  functionFor: (kind: Kind | undefined, memory: Memory, columnMajor: boolean) => string,
): string {
  const call = /subgroupMatrix(?:Load<\s*(\w+)\s*,\s*|Store<\s*)(row|col)_major>\(\s*&(\w+)\s*/;
  let text = wgsl.replaceAll('subgroupMatrixMultiplyAccumulate(', 'matrixMultiply(');
  for (let match = call.exec(text); match; match = call.exec(text)) {
    const [whole, type, major, variable] = match;
    const kind = (Object.keys(NAMES) as Kind[]).find((key) => NAMES[key] === type);
    const after = text.slice(match.index + whole.length);
    const index = after.startsWith('[') ? bracketed(after) : undefined;
    const name = functionFor(kind, memoryOf(wgsl, variable!, index !== undefined), major === 'col');
    const end = match.index + whole.length + (index === undefined ? 0 : index.length + 2);
    text = `${text.slice(0, match.index)}${name}(${index === undefined ? '' : `u32(${index})`}${
      index === undefined ? text.slice(end).replace(/^\s*,/, '') : text.slice(end)
    }`;
  }
  const unknown = /\bsubgroup_?[mM]atrix\w*/.exec(text);
  if (unknown) throw new Error(`${unknown[0]} is not emulated`);
  return text;
}

/** What stands between a bracket that opens the text and the one that closes it. */
function bracketed(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return text.slice(1, i);
  }
  throw new Error(`no bracket closes ${text.slice(0, 80)}`);
}

function memoryOf(wgsl: string, variable: string, indexed: boolean): Memory {
  const type = new RegExp(`var<[^>]*>\\s+${variable}\\s*:\\s*([^;]*);`).exec(wgsl)?.[1]?.replaceAll(' ', '') ?? '';
  const elements = indexed
    ? /^array<array<(.*?),\w+>,\w+>$/.exec(type)
    : /^array<(vec\d<\w+>|\w+)(?:,\w+)?>$/.exec(type);
  const [, width = 1, scalar] = /^(?:vec(\d)<)?(f16|f32|u32)>?$/.exec(elements?.[1] ?? '') ?? [];
  if (!scalar) throw new Error(`a matrix in ${variable}: ${type} is not emulated`);
  return { name: variable, indexed, scalar: scalar as Scalar, width: Number(width) };
}

/** Makes `main` say which lane it is, whatever it calls that itself. */
function withLanes(wgsl: string): string {
  const opening = /fn main\(/;
  const builtin = (name: string, fallback: string): [string, string] => {
    const own = new RegExp(`@builtin\\(${name}\\)\\s*(\\w+)`).exec(wgsl)?.[1];
    return [
      own ?? fallback,
      own ? '' : `@builtin(${name}) ${fallback}: ${name === 'num_workgroups' ? 'vec3<u32>' : 'u32'}, `,
    ];
  };
  const [lane, laneParameter] = builtin('subgroup_invocation_id', 'matrixOwnLane');
  const [groups, groupsParameter] = builtin('num_workgroups', 'matrixGroups');
  const start = wgsl.search(opening);
  const body = wgsl.slice(start).indexOf('{') + start + 1;
  const head = wgsl.slice(start, body).replace(opening, `fn main(${laneParameter}${groupsParameter}`);
  return `${wgsl.slice(0, start)}${head}
  matrixLane = ${lane};
  matrixOne = min(${groups}.x, 1u);
${wgsl.slice(body)}`;
}

/** Rows of a matrix that one lane holds. */
const rowsALane = (rows: number, lanes: number): number => Math.ceil(rows / lanes);

/** Rows and columns of a kind of matrix. */
function sizeOfKind(kind: Kind, { M, N, K }: SubgroupMatrixConfig): [rows: number, columns: number] {
  if (kind === 'left') return [M, K];
  return kind === 'right' ? [K, N] : [M, N];
}

/** The types and the product. Sums are in order of k, in f32, of which the products of halves are exact. */
function declarations(config: SubgroupMatrixConfig, lanes: number): string {
  const { M, N, K } = config;
  const types = (Object.keys(NAMES) as Kind[]).map((kind) => {
    const [rows, columns] = sizeOfKind(kind, config);
    return `alias ${NAMES[kind]} = array<vec4<f32>, ${(rowsALane(rows, lanes) * columns) / 4}>;`;
  });
  const rows = Array.from({ length: rowsALane(M, lanes) }, (_, i) => i);
  return `${types.join('\n')}
var<private> matrixLane: u32;
var<private> matrixOne: u32;
fn matrixMultiply(left: MatrixLeft, right: MatrixRight, sums: MatrixResult) -> MatrixResult {
  var a = left;
  var b = right;
  var c = sums;
  for (var n = 0u; n < ${N / 4}u * matrixOne; n++) {
    ${rows.map((i) => `var sum${i} = c[${(i * N) / 4}u + n];`).join(' ')}
    for (var k = 0u; k < ${K}u * matrixOne; k++) {
      let row = subgroupShuffle(b[k / ${lanes}u * ${N / 4}u + n], k % ${lanes}u);
      ${rows.map((i) => `sum${i} += a[${(i * K) / 4}u + k / 4u][k % 4u] * row;`).join(' ')}
    }
    ${rows.map((i) => `c[${(i * N) / 4}u + n] = sum${i};`).join(' ')}
  }
  return c;
}
`;
}

/** Whether the lane's row lies in a matrix of fewer rows than there are lanes. */
const inside = (rows: number, lanes: number): string => (rows % lanes === 0 ? 'true' : `row < ${rows}u`);

/** A function that loads a matrix: `(offset, stride)`, of a variable of two dimensions `(index, offset, stride)`, in elements of the variable. */
function loading(
  name: string,
  kind: Kind,
  memory: Memory,
  columnMajor: boolean,
  config: SubgroupMatrixConfig,
  lanes: number,
): string {
  const [rows, columns] = sizeOfKind(kind, config);
  const element = kind === 'result' ? 'f32' : 'f16';
  const [toRow, toColumn] = columnMajor ? ['1u', 'pitch'] : ['pitch', '1u'];
  return `fn ${name}(${parameters(memory)}offset: u32, stride: u32) -> ${NAMES[kind]} {
  let pitch = stride * ${perElement(memory, element)}u;
  var matrix: ${NAMES[kind]};
  for (var unit = 0u; unit < ${(rowsALane(rows, lanes) * columns) / 4}u * matrixOne; unit++) {
    let row = matrixLane + unit / ${columns / 4}u * ${lanes}u;
    for (var i = 0u; i < 4u * matrixOne; i++) {
      let at = offset * ${perElement(memory, element)}u + row * ${toRow} + (unit % ${columns / 4}u * 4u + i) * ${toColumn};
      if (${inside(rows, lanes)}) { matrix[unit][i] = ${scalarAt(memory, element)}; }
    }
  }
  return matrix;
}`;
}

function storing(
  name: string,
  memory: Memory,
  columnMajor: boolean,
  { M, N }: SubgroupMatrixConfig,
  lanes: number,
): string {
  const { scalar, width } = memory;
  if (scalar === 'f16') throw new Error('a matrix of f32 stored to f16 is not emulated');
  const to = placeOf(memory);
  const [toRow, toColumn] = columnMajor ? ['1u', 'pitch'] : ['pitch', '1u'];
  const bits = (value: string): string =>
    scalar === 'u32' ? `bitcast<${value === 'four' ? 'vec4<u32>' : 'u32'}>(${value})` : value;
  const whole = `${to}[at / 4u] = ${bits('four')};`;
  const single = `for (var i = 0u; i < 4u * matrixOne; i++) {
        let place = at + i * ${toColumn};
        ${to}[place${width === 4 ? ' / 4u][place % 4u' : ''}] = ${bits('four[i]')};
      }`;
  return `fn ${name}(${parameters(memory)}offset: u32, sums: MatrixResult, stride: u32) {
  let pitch = stride * ${width}u;
  var matrix = sums;
  for (var unit = 0u; unit < ${(rowsALane(M, lanes) * N) / 4}u * matrixOne; unit++) {
    let row = matrixLane + unit / ${N / 4}u * ${lanes}u;
    var four = matrix[unit];
    let at = offset * ${width}u + row * ${toRow} + unit % ${N / 4}u * 4u * ${toColumn};
    if (${inside(M, lanes)}) {
      ${width === 4 && !columnMajor ? whole : single}
    }
  }
}`;
}

const parameters = ({ indexed }: Memory): string => (indexed ? 'index: u32, ' : '');
const placeOf = ({ name, indexed }: Memory): string => (indexed ? `${name}[index]` : name);

/** Matrix elements in one element of the variable. */
function perElement({ scalar, width }: Memory, element: 'f16' | 'f32'): number {
  if (scalar === 'f16' && element === 'f32') throw new Error('a matrix of f32 in f16 is not emulated');
  return scalar !== 'f16' && element === 'f16' ? 2 * width : width;
}

/** The matrix element `at`, as f32. */
function scalarAt(memory: Memory, element: 'f16' | 'f32'): string {
  const { scalar, width } = memory;
  const halves = scalar !== 'f16' && element === 'f16';
  const place = halves ? 'at / 2u' : 'at';
  const own = `${placeOf(memory)}[${width === 1 ? place : `${place} / ${width}u][${place} % ${width}u`}]`;
  if (halves) return `unpack2x16float(${scalar === 'u32' ? own : `bitcast<u32>(${own})`})[at % 2u]`;
  return scalar === 'u32' ? `bitcast<f32>(${own})` : `f32(${own})`;
}
