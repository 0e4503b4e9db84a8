/**
 * Measured rates of an adapter: how fast it multiplies matrices, attends, moves memory, starts kernels and walks a loop. The time of a plan follows from them.
 * Kept in the user's cache, one entry per adapter, so that `plan` can use what `doctor --measure` found.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultCacheDir } from '@franca/data';
import type { RateName, Target } from '@franca/tensor';
import { namedLike } from '../plan/named-adapters';

/** What an older version measured lacks the fields that may be absent. */
export interface Rates {
  /** Floating-point operations per second of matrix products, by element type. */
  readonly flops: Readonly<Partial<Record<'f32' | 'f16', number>>>;
  /** The same of attention, in f16 where a run would be, and so on matrix units where there are any, else in f32. */
  readonly attention?: { readonly forward: number; readonly backward: number };
  /** Bytes read and written per second by elementwise kernels. */
  readonly bytes: number;
  /** Seconds from one kernel to the next where neither has anything to do. */
  readonly launch?: number;
  /** Seconds of one step of a thread that adds rows one after another. */
  readonly serial?: number;
  readonly date: string;
}

type RateFile = Readonly<Record<string, Rates>>;

const defaultPath = (): string => join(defaultCacheDir(), 'rates.json');

/** Rates that were measured on the adapter of that name, if any. */
export async function knownRates(adapter: string, path: string = defaultPath()): Promise<Rates | undefined> {
  return (await readRates(path))[adapter];
}

/** Keeps rates for later. */
export async function keepRates(adapter: string, rates: Rates, path: string = defaultPath()): Promise<void> {
  const all: RateFile = { ...(await readRates(path)), [adapter]: rates };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(all, undefined, 2));
  await rename(`${path}.new`, path);
}

/** A file that is absent or broken holds no rates: measuring again costs a second. */
async function readRates(path: string): Promise<RateFile> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RateFile;
  } catch {
    return {};
  }
}

/**
 * The target with what was measured in place of what is expected. What was not measured stays expected: of a card that has a named target as its data
 * sheet lets it, of another as its kind does.
 */
export function withRates(own: Target, rates: Rates | undefined, precision: 'f32' | 'f16'): Target {
  const target = { ...own, rates: namedLike(own.name)?.rates ?? own.rates };
  if (!rates) return target;
  const { f32, f16 } = rates.flops;
  const hasMatrices = target.subgroupMatrices.length > 0 && target.subgroupSize !== undefined;
  // where there are matrix units, products in f16 ran on them
  const values: Partial<Record<RateName, number | undefined>> = {
    matrixFlops: hasMatrices ? f16 : undefined,
    productFlops: precision === 'f16' && !hasMatrices ? (f16 ?? f32) : f32,
    [hasMatrices ? 'matrixAttentionFlops' : 'attentionFlops']: rates.attention?.forward,
    [hasMatrices ? 'matrixAttentionGradientFlops' : 'attentionGradientFlops']: rates.attention?.backward,
    bytes: rates.bytes,
    launchSeconds: rates.launch,
    serialSeconds: rates.serial,
  };
  const measured = Object.entries(values).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name, { value, source: 'franca-train doctor --measure', measured: rates.date }] as const],
  );
  return { ...target, rates: { ...target.rates, ...Object.fromEntries(measured) } };
}
