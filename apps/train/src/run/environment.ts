/** What a run was made with, for its folder: versions, machine and adapter. No environment variables: they may hold secrets. */
import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { Gpu } from '@franca/tensor';
import type { SettingChange } from '../config/changes';
import { shellCommand } from '../text/shell';

export interface Environment {
  readonly time: string;
  readonly command: string;
  readonly node: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly adapter: {
    readonly name: string;
    readonly family: string;
    readonly f16: boolean;
    readonly subgroupSize: number | undefined;
    readonly maxBindingBytes: number;
  };
  /** Where each of several ranks ran, in their order. */
  readonly ranks?: readonly { readonly host: string; readonly adapter: string }[];
  /** What was assumed, left out or changed, in words. */
  readonly notes?: readonly string[];
  /** Where the run began, if it is a fork. */
  readonly fork?: ForkRecord;
}

export interface ForkRecord {
  /** Folder of the run before, and the step at which this one leaves it. */
  readonly run: string;
  readonly step: number;
  readonly changes: readonly SettingChange[];
}

export function describeEnvironment(
  gpu: Gpu,
  {
    notes,
    fork,
    ranks = [],
  }: Pick<Environment, 'ranks'> & { readonly notes: readonly string[]; readonly fork?: ForkRecord | undefined },
): Environment {
  const { name, family, f16, subgroupSize, maxBindingBytes } = gpu.target;
  return {
    time: new Date().toISOString(),
    command: shellCommand(['franca-train', ...process.argv.slice(2)]),
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    adapter: { name, family, f16, subgroupSize, maxBindingBytes },
    ...(ranks.length > 1 ? { ranks } : {}),
    ...(notes.length > 0 ? { notes } : {}),
    ...(fork ? { fork } : {}),
  };
}

/** The notes of all parts of a run, each where it was made first. */
export function historyOf(environments: readonly Environment[]): string[] {
  const known = new Map<string, string>();
  for (const { time, notes = [] } of environments)
    for (const note of notes) if (!known.has(note)) known.set(note, `${time.slice(0, 16)}: ${note}`);
  return [...known.values()];
}
