/**
 * The innermost part of a matmul: one invocation's block of C, in registers. It is held as rows of vec4 and updated by four k. An operand
 * arrives in vec4 units of its own layout (see `operand.ts`), which are named here and taken apart again.
 */
import { range } from '../../base/whole-numbers';

/** WGSL of the unit whose first element is `free` rows or columns into the block and `k` into the step. */
export type ReadUnit = (free: number, k: number) => string;

/** Reads rows of A; `element(row, k)` is then the WGSL of one of them. */
export function readRows(
  rows: number,
  alongK: boolean,
  read: ReadUnit,
): { lines: string[]; element: (row: number, k: number) => string } {
  if (alongK)
    return {
      lines: range(rows).map((row) => `let a${row} = ${read(row, 0)};`),
      element: (row, k) => `a${row}[${k}]`,
    };
  return {
    lines: range(rows).map((unit) => `let a${unit} = ${read((unit >> 2) * 4, unit % 4)};`),
    element: (row, k) => `a${(row >> 2) * 4 + k}[${row % 4}]`,
  };
}

/** Reads columns of B; `vector(v, k)` is then the WGSL of columns 4 v to 4 v + 3 at k. */
export function readColumns(
  columns: number,
  alongK: boolean,
  read: ReadUnit,
): { lines: string[]; vector: (v: number, k: number) => string } {
  const units = range(columns);
  const vector = (v: number, k: number): string => `b${v * 4 + k}`;
  if (!alongK) return { lines: units.map((unit) => `let b${unit} = ${read((unit >> 2) * 4, unit % 4)};`), vector };
  const transposed = units.map((unit) => {
    const parts = range(4).map((j) => `w${(unit >> 2) * 4 + j}[${unit % 4}]`);
    return `let b${unit} = vec4<f32>(${parts.join(', ')});`;
  });
  return { lines: [...units.map((unit) => `let w${unit} = ${read(unit, 0)};`), ...transposed], vector };
}

export const declareSums = (count: number): string =>
  range(count)
    .map((i) => `var c${i} = vec4<f32>();`)
    .join(' ');

/** The sums as an array that a loop can walk. */
export const sumsArray = (count: number): string =>
  `var c = array<vec4<f32>, ${count}>(${range(count)
    .map((i) => `c${i}`)
    .join(', ')});`;
