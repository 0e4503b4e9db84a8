/** What a card reaches without the engine: vendor libraries through PyTorch, and the instruction that WGSL's subgroup matrices become. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPython, runPython, SCRIPTS } from './python';

const run = promisify(execFile);

/** A [m, k] times B [k, n], `batch` times; `transA`: A is stored [k, m], `transB`: B is stored [n, k]. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly batch?: number;
  /** How often a step has it; given back. */
  readonly count?: number;
}

/** q, k and v are [batch, heads, tokens, width]. */
export interface Attention {
  readonly batch: number;
  readonly heads: number;
  readonly tokens: number;
  readonly width: number;
  readonly count?: number;
}

export interface CeilingOptions {
  readonly products?: readonly Product[];
  readonly attention?: readonly Attention[];
  readonly dtypes?: readonly ('f16' | 'bf16' | 'f32')[];
  /** Bytes of the array that is copied; default 1 GiB, 128 MiB on a processor. */
  readonly copyBytes?: number;
  /** Runs whose median counts; default 20. */
  readonly repeats?: number;
  /** `auto`, `cuda` or `cpu`. */
  readonly device: string;
  readonly python?: string;
  readonly scripts?: string;
  readonly limitSeconds: number;
}

type Measured<Entry, Rates> = Entry & { readonly dtype: string } & (Rates | { readonly error: string });

export interface Ceilings {
  readonly device: string;
  readonly version: string;
  readonly cuda: string | null;
  readonly threads: number;
  readonly repeats: number;
  readonly copy:
    | { readonly bytes: number; readonly milliseconds: number; readonly gigabytesPerSecond: number }
    | { readonly error: string };
  readonly products: readonly Measured<Product, { readonly milliseconds: number; readonly teraflops: number }>[];
  /** Of 4 B H N^2 d flops forward and 10 backward. */
  readonly attention: readonly Measured<
    Attention,
    {
      readonly forwardMilliseconds: number;
      readonly forwardTeraflops: number;
      readonly backwardMilliseconds: number;
      readonly backwardTeraflops: number;
    }
  >[];
}

/** Rates of PyTorch's copies, products and attention; an entry that fails carries its error. @throws Error where PyTorch cannot be run at all */
export async function torchCeilings(options: CeilingOptions): Promise<Ceilings> {
  const { python: program, scripts = SCRIPTS, device, limitSeconds, ...asked } = options;
  const python = findPython(program);
  if (!python) throw new Error('no Python with PyTorch here');
  return inFolder(async (folder) => {
    const input = join(folder, 'ceilings.json');
    await writeFile(input, JSON.stringify(asked));
    const args = [input, '--device', device];
    return runPython<Ceilings>({ python, scripts, script: 'ceilings.py', args, limitSeconds });
  });
}

export interface MmaProbe {
  readonly device: string;
  readonly processors: number;
  readonly warpsPerProcessor: number;
  readonly milliseconds: number;
  /** Sustained by mma.sync.m16n8k16, f16 inputs and f32 sums in registers. */
  readonly teraflops: number;
}

/** Builds `mma_probe.cu` with `nvcc` and runs it on the first card. @throws Error where it cannot be built or run */
export function mmaProbe(limitSeconds: number, scripts: string = SCRIPTS, nvcc = 'nvcc'): Promise<MmaProbe> {
  return inFolder(async (folder) => {
    const program = join(folder, 'mma_probe');
    const options = { timeout: 1000 * limitSeconds, killSignal: 'SIGKILL' } as const;
    try {
      await run(nvcc, ['-O3', '-arch=native', join(scripts, 'mma_probe.cu'), '-o', program], options);
      return JSON.parse((await run(program, [], options)).stdout) as MmaProbe;
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      // a compiler says the same of every line
      const reason = stderr?.trim().split('\n').slice(0, 3).join('\n') || message;
      throw new Error(`mma_probe: ${reason}`, { cause: error });
    }
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'franca-ceilings-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
