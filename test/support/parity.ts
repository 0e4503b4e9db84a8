/**
 * Parity with the official implementation: inputs, weights, outputs and gradients that it computed lie in files, and a
 * module proves that it is the method by reproducing them within a stated tolerance. A parity test opens a file, takes
 * every size and option from the file's `config` and shapes, and compares with `checkParity`, which fails the test when
 * the error is above the tolerance and otherwise records worst error / tolerance; the run ends with a table per file.
 *
 * `FRANCA_PARITY=<folder>` selects another folder of the same layout.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestRunner } from 'vitest';
import { readSafetensors, type StoredTensor } from './safetensors';

const parityFolder: string = process.env.FRANCA_PARITY
  ? resolve(process.env.FRANCA_PARITY)
  : fileURLToPath(new URL('../../fixtures/parity', import.meta.url));

/** An opened parity file. The getters copy, so that a test may change what it gets. */
export interface ParityFile {
  /** File name without its extension, as in the table. */
  readonly name: string;
  /** The file's own description of its sizes and options (parsed from `__metadata__.config`). */
  // biome-ignore lint/suspicious/noExplicitAny: every file has a config of its own, and tests name its fields.
  readonly config: any;
  readonly metadata: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  has(tensor: string): boolean;
  shape(tensor: string): number[];
  /** Values of an F32 or F16 tensor. */
  floats(tensor: string): Float32Array;
  /** Values of an I32, I64, U8 or BOOL tensor. */
  ints(tensor: string): Int32Array;
  /** Values of a U8 or BOOL tensor. */
  bytes(tensor: string): Uint8Array;
  /** Shape and values of every F32 tensor whose name starts with `prefix`, keyed by the rest of the name. */
  withPrefix(prefix: string): Map<string, { shape: number[]; data: Float32Array }>;
}

/** Opens `<parity folder>/<name>.safetensors`. */
export function parityFile(name: string): ParityFile {
  const { tensors, metadata } = readSafetensors(join(parityFolder, `${name}.safetensors`));
  const find = (tensor: string, ...dtypes: string[]): StoredTensor => {
    const found = tensors.get(tensor);
    if (!found) throw new Error(`${name} has no tensor "${tensor}"; it has ${[...tensors.keys()].join(', ')}`);
    if (dtypes.length && !dtypes.includes(found.dtype)) throw new Error(`${name}: "${tensor}" is ${found.dtype}`);
    return found;
  };
  const floats = (tensor: string) => Float32Array.from(find(tensor, 'F32', 'F16').data);
  const shape = (tensor: string) => [...find(tensor).shape];
  return {
    name,
    config: JSON.parse(metadata.config ?? '{}'),
    metadata,
    names: [...tensors.keys()],
    has: (tensor) => tensors.has(tensor),
    shape,
    floats,
    ints: (tensor) => Int32Array.from(find(tensor, 'I32', 'I64', 'U8', 'BOOL').data),
    bytes: (tensor) => Uint8Array.from(find(tensor, 'U8', 'BOOL').data),
    withPrefix: (prefix) => {
      const matching = [...tensors.keys()].filter((key) => key.startsWith(prefix) && find(key).dtype === 'F32');
      return new Map(
        matching.map((key) => [key.slice(prefix.length), { shape: shape(key), data: floats(key) }] as const),
      );
    },
  };
}

/** Parses `<parity folder>/<name>.json`. */
// biome-ignore lint/suspicious/noExplicitAny: the one JSON fixture has a layout of its own.
export function parityJson(name: string): any {
  return JSON.parse(readFileSync(join(parityFolder, `${name}.json`), 'utf8'));
}

/** How far from the reference a value may be; parts that are given add up. `{}` means exactly equal. */
export interface ParityTolerance {
  /** Absolute: `|a - b| <= absolute`. */
  readonly absolute?: number;
  /** Relative to the largest value of the whole tensor: `|a - b| <= ofMax * max|b|`. */
  readonly ofMax?: number;
  /** Relative to each value: `|a - b| <= relative * |b|`. */
  readonly relative?: number;
}

/**
 * Compares `actual` with `expected` (usually `file.floats(...)`), records worst error / tolerance under the file's
 * name, and throws when it is above 1. NaN, or another number of values, is never within tolerance.
 */
export function checkParity(
  file: ParityFile | string,
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: ParityTolerance,
): void {
  const name = typeof file === 'string' ? file : file.name;
  if (actual.length !== expected.length) {
    throw new Error(`${name}: ${what} has ${actual.length} values, the reference has ${expected.length}`);
  }
  const worst = worstError(actual, expected, tolerance);
  recordParity(name, what, worst.ratio);
  if (worst.ratio <= 1) return;
  const { index, ratio } = worst;
  throw new Error(
    `${name}: ${what} is off by ${ratio.toPrecision(3)} x tolerance ${JSON.stringify(tolerance)} at index ${index}: ` +
      `got ${actual[index]}, reference ${expected[index]}`,
  );
}

/** Largest `|actual - expected| / allowed` and where it is; Infinity for NaN, and for any error where none is allowed. */
export function worstError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 0, ofMax = 0, relative = 0 }: ParityTolerance,
): { ratio: number; index: number } {
  let max = 0;
  if (ofMax) for (let i = 0; i < expected.length; i++) max = Math.max(max, Math.abs(expected[i]!));
  let worst = { ratio: 0, index: 0 };
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!;
    const b = expected[i]!;
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b) / (absolute + ofMax * max + relative * Math.abs(b));
    const ratio = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    if (ratio > worst.ratio) worst = { ratio, index: i };
  }
  return worst;
}

/** One comparison, as it travels from the test to the reporter in the test's `meta`. */
export interface ParityRecord {
  file: string;
  what: string;
  ratio: number;
}

declare module 'vitest' {
  interface TaskMeta {
    parity?: ParityRecord[];
  }
}

/** Records a result that is not a plain comparison (a share of elements, an exact trace): `ratio` is error / tolerance. */
export function recordParity(file: string, what: string, ratio: number): void {
  const test = TestRunner.getCurrentTest();
  if (!test) throw new Error('parity is recorded inside a test, not in a hook');
  test.meta.parity ??= [];
  test.meta.parity.push({ file, what, ratio });
}
