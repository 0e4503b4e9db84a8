/**
 * Subgroup matrices of any shape on an adapter that has none: WGSL that uses them is rewritten to WGSL that computes the same with subgroups alone. A
 * matrix is spread over the lanes by rows when it is loaded (lane `l` of `n` holds rows l, l + n, ...), so that a kernel that overwrites a tile too
 * early computes wrongly here as it would on tensor cores. A product fetches the rows of its right matrix from the lanes that hold them.
 *
 * These functions stand in a kernel dozens of times, and a driver's compiler copies them to each place: so they are small loops of scalars, with bounds
 * that the compiler does not know; all matrices of an invocation lie in one array, where a variable of the kernel is the index of its own; and calls
 * that follow each other become one loop over a list of them, with each function once.
 */
import type { SubgroupMatrixConfig } from '../base/target';
import { range } from '../base/whole-numbers';

type Kind = 'left' | 'right' | 'result';
type Scalar = 'f16' | 'f32' | 'u32';

/** A variable of the module that a matrix is loaded from or stored to: an array of scalars or of vectors. */
interface Memory {
  /** WGSL of the array; `index` is that of its first dimension, if it has two. */
  readonly array: string;
  readonly indexed: boolean;
  readonly scalar: Scalar;
  readonly width: number;
}

/** What a module is rewritten with. */
interface Module {
  readonly wgsl: string;
  readonly config: SubgroupMatrixConfig;
  readonly lanes: number;
  /** The functions that its loads and stores call, by name. */
  readonly functions: Map<string, string>;
  /** How many matrices each of its variables holds: an array several. */
  readonly variables: Map<string, number>;
}

const TYPE = /subgroup_matrix_(left|right|result)<\s*(\w+)\s*,\s*(\d+)\s*,\s*(\d+)\s*>/;
const ZERO = new RegExp(`^${TYPE.source}\\(\\)$`);
const LOAD = new RegExp(`^subgroupMatrixLoad<\\s*${TYPE.source}\\s*,\\s*(row|col)_major\\s*>\\((.*)\\)$`, 's');
const everyType = new RegExp(TYPE, 'g');

/** The WGSL module without subgroup matrices, for subgroups of `lanes`; one that has none is returned as it is. */
export function withoutSubgroupMatrices(wgsl: string, lanes: number): string {
  if (!wgsl.includes('subgroup_matrix_')) return wgsl;
  const module: Module = { wgsl, config: configOf(wgsl), lanes, functions: new Map(), variables: new Map() };
  const text = withLanes(withLists(withStatements(module))).replace(
    /enable (chromium_experimental_subgroup_matrix|subgroups);/g,
    '',
  );
  const unknown = /\bsubgroup_?[mM]atrix\w*[^;]*/.exec(text);
  if (unknown) throw new Error(`${unknown[0]} is not emulated`);
  const added = [declarations(module), ...module.functions.values()].join('\n');
  return `diagnostic(off, subgroup_uniformity);\nenable subgroups;\n${text}\n${added}\n`;
}

/** The shape of the module's matrices, `<element, columns, rows>`, which are all of one. */
function configOf(wgsl: string): SubgroupMatrixConfig {
  const sizes = { M: new Set<number>(), N: new Set<number>(), K: new Set<number>() };
  for (const [, kind, , columns, rows] of wgsl.matchAll(everyType)) {
    sizes[kind === 'left' ? 'K' : 'N'].add(Number(columns));
    sizes[kind === 'right' ? 'K' : 'M'].add(Number(rows));
  }
  const only = (size: 'M' | 'N' | 'K'): number => {
    if (sizes[size].size > 1)
      throw new Error(`matrices of ${size} = ${[...sizes[size]].join(' and ')} in one module are not emulated`);
    return [...sizes[size]][0] ?? 8;
  };
  return { M: only('M'), N: only('N'), K: only('K') };
}

/** Replaces every statement that declares, sets or stores matrices. */
function withStatements(module: Module): string {
  const { variables } = module;
  const declaration = /\b(?:let|var)\s+(\w+)\s*(?::\s*([^=;]+?)\s*)?(?:=\s*([^;]+))?;/g;
  const declared = module.wgsl.replaceAll(declaration, (statement, name: string, type = '', value?: string) => {
    if (!TYPE.test(type) && !(value && isMatrix(value, variables))) return statement;
    variables.set(name, Number(/,\s*(\d+)u?\s*>$/.exec(type.replace(TYPE, 'T'))?.[1] ?? 1));
    if (variables.get(name)! > 1) {
      if (value) throw new Error(`${statement} is not emulated`);
      return Array.from({ length: variables.get(name)! }, (_, i) => `matrixZero(${name}[${i}]);`).join(' ');
    }
    return setting(module, name, value ?? '');
  });
  return declared
    .replaceAll(
      /(?<=[;{}]\s*)(\w+)(\[[^=;]*\])?\s*=\s*([^=;][^;]*);/g,
      (statement, name: string, index = '', value: string) =>
        variables.has(name) ? setting(module, name + index, value) : statement,
    )
    .replaceAll(/subgroupMatrixStore<\s*(row|col)_major\s*>\(\s*([^;]*)\);/g, (_, major: string, rest: string) => {
      const { memory, index, after } = memoryOf(module.wgsl, rest);
      return `${functionFor(module, undefined, memory, major)}(${index}${after});`;
    });
}

/** Calls of functions on matrices that follow each other, as a loop over a list: which function, and what it is called with. */
function withLists(wgsl: string): string {
  return wgsl.replaceAll(/(?:\bmatrix\w*\([^;{}]*\);\s*){2,}/g, (run) => {
    const calls = [...run.matchAll(/(matrix\w*)\(([^;]*)\);/g)].map(([, name, parameters]) => ({
      name: name!,
      parameters: divided(parameters!),
    }));
    const longest = Math.max(...calls.map(({ parameters }) => parameters.length));
    const functions = [...new Set(calls.map(({ name }) => name))];
    const rows = calls.map(({ name, parameters }) => [
      `${functions.indexOf(name)}u`,
      ...range(longest).map((i) => parameters[i] ?? '0u'),
    ]);
    const cases = functions.map((name, i) => {
      const { length } = calls.find((call) => call.name === name)!.parameters;
      return `case ${i}u: { ${name}(${range(length).map((j) => `matrixCalls[call][${j + 1}]`)}); }`;
    });
    return `{
    var matrixCalls = array<array<u32, ${longest + 1}>, ${calls.length}>(${rows.map((row) => `array<u32, ${longest + 1}>(${row.join(', ')})`).join(', ')});
    for (var call = 0u; call < ${calls.length}u * matrixOne; call++) {
      switch matrixCalls[call][0] { ${cases.join(' ')} default: {} }
    }
  }
  `;
  });
}

/** Parameters of a call, divided at the commas between them. */
function divided(parameters: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of parameters) {
    if ('([{'.includes(letter)) depth++;
    if (')]}'.includes(letter)) depth--;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

const isMatrix = (value: string, variables: ReadonlyMap<string, number>): boolean =>
  /^subgroup_?[mM]atrix/.test(value) || variables.has(/^(\w+)(\[.*\])?$/s.exec(value.trim())?.[1] ?? '');

/** The statement that makes the matrix `to` what an expression says. */
function setting(module: Module, to: string, value: string): string {
  const load = LOAD.exec(value.trim());
  if (load) {
    const { memory, index, after } = memoryOf(module.wgsl, load.at(-1)!);
    return `${functionFor(module, load[1] as Kind, memory, load.at(-2)!)}(${to}, ${index}${after});`;
  }
  const product = /^subgroupMatrixMultiplyAccumulate\((.*)\)$/s.exec(value.trim());
  if (product) return `matrixMultiply(${to}, ${product[1]});`;
  return value === '' || ZERO.test(value) ? `matrixZero(${to});` : `matrixCopy(${to}, ${value});`;
}

/** Takes `&variable, rest` or `&variable[index], rest` apart. */
function memoryOf(wgsl: string, parameters: string): { memory: Memory; index: string; after: string } {
  const [whole, name = ''] = /^\s*&(\w+)\s*/.exec(parameters) ?? [''];
  const tail = parameters.slice(whole.length);
  const index = tail.startsWith('[') ? bracketed(tail) : undefined;
  const after = tail.slice(index === undefined ? 0 : index.length + 2).replace(/^\s*,\s*/, '');
  const type = new RegExp(`var<[^>]*>\\s+${name}\\s*:\\s*([^;]*);`).exec(wgsl)?.[1]?.replaceAll(/\s/g, '') ?? '';
  const one = /^array<(vec\d<\w+>|\w+)(?:,\w+)?>$/;
  const element = one.exec(index === undefined ? type : (/^array<(.*),\w+>$/.exec(type)?.[1] ?? ''))?.[1] ?? '';
  const [, width = 1, scalar] = /^(?:vec(\d)<)?(f16|f32|u32)>?$/.exec(element) ?? [];
  if (!scalar) throw new Error(`a matrix in ${parameters}, a ${type}, is not emulated`);
  const memory = {
    array: index === undefined ? name : `${name}[index]`,
    indexed: index !== undefined,
    scalar: scalar as Scalar,
    width: Number(width),
  };
  return { memory, index: index === undefined ? '' : `u32(${index}), `, after };
}

/** What stands between a bracket that opens the text and the one that closes it. */
function bracketed(text: string): string {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '[') depth++;
    if (text[i] === ']' && --depth === 0) return text.slice(1, i);
  }
  throw new Error(`no bracket closes ${text}`);
}

/** Makes `main` say which lane it is, whatever it calls that itself, and how long a loop of one step is. */
function withLanes(wgsl: string): string {
  const added: string[] = [];
  const named = (builtin: string, type: string): string => {
    const own = new RegExp(`@builtin\\(${builtin}\\)\\s*(\\w+)`).exec(wgsl)?.[1];
    if (!own) added.push(`@builtin(${builtin}) matrix_${builtin}: ${type}, `);
    return own ?? `matrix_${builtin}`;
  };
  const start = `matrixLane = ${named('subgroup_invocation_id', 'u32')}; matrixOne = min(${named('num_workgroups', 'vec3<u32>')}.x, 1u);`;
  return wgsl.replace(/fn main\(([^{]*)\{/, (_, head: string) => `fn main(${added.join('')}${head}{\n  ${start}`);
}

const sizeOfKind = (kind: Kind, { M, N, K }: SubgroupMatrixConfig): [rows: number, columns: number] => [
  kind === 'right' ? K : M,
  kind === 'left' ? K : N,
];

/** Elements of a matrix that one lane holds. */
function elementsALane(kind: Kind, { config, lanes }: Module): number {
  const [rows, columns] = sizeOfKind(kind, config);
  return Math.ceil(rows / lanes) * columns;
}

/** The matrices and what needs no memory. Sums are in order of k, in f32, where products of halves are exact. */
function declarations(module: Module): string {
  const { config, lanes, variables } = module;
  const { N, K } = config;
  const size = Math.max(...(['left', 'right', 'result'] as const).map((kind) => elementsALane(kind, module)));
  let end = 0;
  const next = (): string => `${size * end++}u`;
  const indices = [...variables].map(([name, count]) => {
    const own = Array.from({ length: count }, next);
    return `const ${name} = ${count === 1 ? own[0] : `array<u32, ${count}>(${own.join(', ')})`};`;
  });
  return `${indices.join('\n')}
var<private> matrices: array<f32, ${Math.max(end, 1) * size}>;
var<private> matrixLane: u32;
var<private> matrixOne: u32;
fn matrixZero(to: u32) {
  for (var i = 0u; i < ${size}u * matrixOne; i++) { matrices[to + i] = 0.0; }
}
fn matrixCopy(to: u32, source: u32) {
  for (var i = 0u; i < ${size}u * matrixOne; i++) { matrices[to + i] = matrices[source + i]; }
}
fn matrixMultiply(to: u32, left: u32, right: u32, sums: u32) {
  for (var i = 0u; i < ${elementsALane('result', module)}u * matrixOne; i++) {
    var sum = matrices[sums + i];
    for (var k = 0u; k < ${K}u * matrixOne; k++) {
      let b = subgroupShuffle(matrices[right + k / ${lanes}u * ${N}u + i % ${N}u], k % ${lanes}u);
      sum += matrices[left + i / ${N}u * ${K}u + k] * b;
    }
    matrices[to + i] = sum;
  }
}`;
}

/** Names the function that loads a kind of matrix, or stores sums, and writes it if it is new. */
function functionFor(module: Module, kind: Kind | undefined, memory: Memory, major: string): string {
  const name = `matrix_${kind ?? 'store'}_${major}_${memory.array.replace('[index]', '_at')}`;
  const [rows, columns] = sizeOfKind(kind ?? 'result', module.config);
  const element = kind === 'left' || kind === 'right' ? 'f16' : 'f32';
  const { array, indexed, scalar, width } = memory;
  if (scalar === 'f16' && element === 'f32') throw new Error(`f32 in ${array}, which is of f16, is not emulated`);
  const perUnit = scalar !== 'f16' && element === 'f16' ? 2 * width : width;
  const at = major === 'row' ? 'row * pitch + column' : 'row + column * pitch';
  const index = indexed ? 'index: u32, ' : '';
  const text = `fn ${name}(${kind ? `to: u32, ${index}offset: u32` : `${index}offset: u32, source: u32`}, stride: u32) {
  let pitch = stride * ${perUnit}u;
  for (var i = 0u; i < ${elementsALane(kind ?? 'result', module)}u * matrixOne; i++) {
    let row = matrixLane + i / ${columns}u * ${module.lanes}u;
    let column = i % ${columns}u;
    if (row >= ${rows}u) { continue; }
    let at = offset * ${perUnit}u + ${at};
    ${kind ? `matrices[to + i] = ${loaded(memory, element)};` : `${placed(memory, 'at')} = ${scalar === 'u32' ? 'bitcast<u32>(matrices[source + i])' : 'matrices[source + i]'};`}
  }
}`;
  module.functions.set(name, text);
  return name;
}

/** WGSL of a scalar of the memory. */
const placed = ({ array, width }: Memory, at: string): string =>
  width === 1 ? `${array}[${at}]` : `${array}[(${at}) / ${width}u][(${at}) % ${width}u]`;

/** WGSL of the matrix element `at`, as f32. */
function loaded(memory: Memory, element: 'f16' | 'f32'): string {
  if (memory.scalar === 'f16') return `f32(${placed(memory, 'at')})`;
  if (element === 'f16') return `unpack2x16float(bitcast<u32>(${placed(memory, 'at / 2u')}))[at % 2u]`;
  return `bitcast<f32>(${placed(memory, 'at')})`;
}
