/**
 * How kernels on subgroup matrices read an operand: 16 bytes at a time, eight halves as a `vec4<u32>`, from memory to registers and from there
 * to a tile in workgroup memory, where matrices are loaded from. The tile keeps the layout of its matrix, [free, k] or [k, free], so that nothing is
 * transposed one half at a time. An invocation has the same units of every step: where they begin is worked out once. Units past the free dimension
 * are some others of the matrix, whose products are not stored; units past K are zero, and only the last step, where K is no multiple of its depth,
 * has to look. A window over images takes units of eight channels, or puts them together from smaller parts, and is zero past K by itself.
 */
import { range } from '../../base/whole-numbers';
import type { KernelBuilder } from '../../kernels/kernel-builder';
import { pitchOf, tileUnits, UNIT } from './matrix-tile';
import type { Operand } from './operand';
import { type WindowUnit, writeWindow } from './window';

/** An operand of a kernel, with its two tiles from unit `first` on in `tiles`. */
export interface HalfOperand {
  /** WGSL functions. */
  readonly functions: string;
  /** Units of one tile. */
  readonly units: number;
  /** Statements before the loop. In scope: `z`, `tileRow`, `tileColumn`, `lane`. */
  readonly begin: string[];
  /** Loads this invocation's units of the step that begins at `k`; `tail`: K may end in it. */
  fetch(k: string, tail: boolean): string[];
  /** Writes them to the tile that begins at unit `tile`. */
  keep(tile: string): string[];
  /** Offset in units of the matrix at an element of the tile that begins at unit `tile`. */
  offset(tile: string, free: string, k: number): string;
  /** Units from one row of the tile to the next. */
  readonly pitch: number;
}

/** Halves that the matrix can be read by at a time: those that its rows and batches, or the channels of its images, are whole multiples of. */
const widthOf = ({ alongK, free, K, stride, window }: Operand): 1 | 4 | 8 => {
  const row = window ? window.image[3]! : alongK ? K : free;
  return ([8, 4] as const).find((width) => row % width === 0 && stride % width === 0) ?? 1;
};

const TYPES = { 1: 'f16', 4: 'vec2<u32>', 8: 'vec4<u32>' } as const;

export function halfOperand(
  k: KernelBuilder,
  operand: Operand,
  size: number,
  depth: number,
  invocations: number,
): HalfOperand {
  const { name, tensor, alongK, window } = operand;
  const width = widthOf(operand);
  const rowLength = alongK ? operand.K : operand.free;
  const [K, free, stride] = [operand.K, operand.free, operand.stride / width].map(k.uniform) as [
    string,
    string,
    string,
  ];
  const [row, perRow] = [rowLength / width, Math.ceil(rowLength / UNIT)].map(k.uniform) as [string, string];
  const tileRow = (alongK ? depth : size) / UNIT;
  const pitch = pitchOf(alongK ? depth : size);
  const count = (size * depth) / UNIT;
  const shares = range(Math.ceil(count / invocations));
  const origin = name === 'A' ? 'tileRow' : 'tileColumn';
  const unit = (share: number): string => `(lane + ${share * invocations}u)`;
  // where a row's units are neighbours' shares, an invocation has the same place in every row
  const alike = invocations % tileRow === 0;
  const outer = (share: number): string =>
    alike ? `(lane / ${tileRow}u + ${(share * invocations) / tileRow}u)` : `${unit(share)} / ${tileRow}u`;
  const inner = (share: number): string => (alike ? `lane % ${tileRow}u` : `${unit(share)} % ${tileRow}u`);
  const variable = (what: string, share: number): string => `${what}${name}${share}`;
  const load = (start: string, at: string): string => `unit${name}(${start}, ${at})`;
  /** Where the row of a unit begins, and which unit of the row it is. */
  const place = (share: number, step: string, tail: boolean): [start: string, at: string] => {
    const [start, at] = [variable('start', share), variable('at', alike ? 0 : share)];
    if (alongK) return [start, `${at} + ${step} / ${UNIT}u`];
    const own = `${step} + ${outer(share)}`;
    return [tail ? `z * ${stride} + min(${own}, ${K} - 1u) * ${row}` : `${start} + ${step} * ${row}`, at];
  };
  const complete = (share: number): boolean => (share + 1) * invocations <= count;
  const tile = {
    units: tileUnits(size, depth, alongK),
    keep: (tile: string) =>
      shares.map((share) => {
        const write = `tiles[${tile} + ${outer(share)} * ${pitch}u + ${inner(share)}] = ${variable('next', share)};`;
        return complete(share) ? write : `if (${unit(share)} < ${count}u) { ${write} }`;
      }),
    offset: (tile: string, at: string, step: number) =>
      alongK ? `${tile} + (${at}) * ${pitch}u + ${step / UNIT}u` : `${tile} + ${step * pitch}u + (${at}) / ${UNIT}u`,
    pitch,
  };
  const nothing = shares.map((share) => `var ${variable('next', share)} = vec4<u32>();`);
  if (window) {
    const elements = (share: number): string => `${inner(share)} * ${UNIT}u`;
    return {
      ...tile,
      functions: writeWindow(k, operand, window, windowUnit(width)),
      begin: shares
        .map(
          (share) =>
            `let ${variable('place', share)} = place${name}(${origin} + ${alongK ? outer(share) : elements(share)});`,
        )
        .concat(nothing),
      fetch: (step) =>
        shares.map(
          (share) =>
            `${variable('next', share)} = loadAt${name}(${variable('place', share)}, ${step} + ${alongK ? elements(share) : outer(share)});`,
        ),
    };
  }
  const matrix = k.read(tensor, TYPES[width]);
  const placeInRow = (share: number, value: string): string[] =>
    alike && share > 0 ? [] : [`let ${variable('at', share)} = ${value};`];
  const begin = shares.flatMap((share) =>
    alongK
      ? [
          `let ${variable('start', share)} = z * ${stride} + min(${origin} + ${outer(share)}, ${free} - 1u) * ${row};`,
          ...placeInRow(share, inner(share)),
        ]
      : [
          `let ${variable('start', share)} = z * ${stride} + ${outer(share)} * ${row};`,
          ...placeInRow(share, `min(${origin} / ${UNIT}u + ${inner(share)}, ${perRow} - 1u)`),
        ],
  );
  const orZero = (share: number, step: string): string => {
    const [start, at] = place(share, step, true);
    return alongK
      ? `select(vec4<u32>(), ${load(start, `min(${at}, ${perRow} - 1u)`)}, ${at} < ${perRow})`
      : `select(vec4<u32>(), ${load(start, at)}, ${step} + ${outer(share)} < ${K})`;
  };
  return {
    ...tile,
    functions: unitFunction(name, matrix, width, k.uniform(rowLength)),
    begin: [...begin, ...nothing],
    fetch: (step, tail) =>
      shares.map(
        (share) => `${variable('next', share)} = ${tail ? orZero(share, step) : load(...place(share, step, false))};`,
      ),
  };
}

/** Eight channels of a window, or as many as its images can be read by at a time. */
function windowUnit(width: 1 | 4 | 8): WindowUnit {
  const join = (parts: readonly string[]): string =>
    width === 8 ? parts[0]! : width === 4 ? `vec4<u32>(${parts.join(', ')})` : `vec4<u32>(${halves(parts).join(', ')})`;
  return { type: TYPES[width], width, parts: UNIT / width, result: 'vec4<u32>', join };
}

/** Pairs of halves as words. */
const halves = (parts: readonly string[]): string[] =>
  range(UNIT / 2).map((j) => `bitcast<u32>(vec2<f16>(${parts[2 * j]}, ${parts[2 * j + 1]}))`);

/** `fn unit<name>(start, at)`: unit `at` of the row that begins at `start`, in elements of the array; zero where the row has ended. */
function unitFunction(name: string, matrix: string, width: 1 | 4 | 8, rowLength: string): string {
  const head = `fn unit${name}(start: u32, at: u32) -> vec4<u32>`;
  if (width === 8) return `${head} { return ${matrix}[start + at]; }`;
  const units = UNIT / width;
  const part = (j: number): string => {
    const at = `at * ${units}u + ${j}u`;
    const length = width === 1 ? rowLength : `${rowLength} / ${width}u`;
    return `select(${TYPES[width]}(), ${matrix}[start + min(${at}, ${length} - 1u)], ${at} < ${length})`;
  };
  const parts = range(units).map(part);
  const values = width === 4 ? parts : halves(parts);
  return `${head} { return vec4<u32>(${values.join(', ')}); }`;
}
