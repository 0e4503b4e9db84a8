/** What a run was made with, for its folder: versions, machine and adapter. No environment variables: they may hold secrets. */
import { arch, cpus, platform, release, totalmem } from 'node:os';
import type { Gpu } from '@franca/tensor';

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
}

export function describeEnvironment(gpu: Gpu): Environment {
  const { name, family, f16, subgroupSize, maxBindingBytes } = gpu.target;
  return {
    time: new Date().toISOString(),
    command: `franca-train ${process.argv.slice(2).join(' ')}`,
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    adapter: { name, family, f16, subgroupSize, maxBindingBytes },
  };
}
