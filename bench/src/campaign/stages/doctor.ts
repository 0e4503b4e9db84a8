/** What the machine is: adapter, driver, limits, every matrix shape in the driver's order, memory. Decides whether there is a campaign. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, totalmem } from 'node:os';
import { isSoftwareAdapter, openGpu } from '@franca/tensor/node';
import type { Precision, Stage, StageContext, StageReport } from '../stage';

export interface Verdict {
  /** Whether the adapter is no software. */
  readonly gpu: boolean;
  /** f16 only with matrices of f16: without them it is no faster than f32. */
  readonly precision: Precision;
}

export const doctor: Stage = {
  name: 'doctor',
  about: 'adapter, driver, limits, matrix shapes, memory',
  seconds: 30,
  run,
};

/** Programs that know the card, its driver and what it does at the moment. */
const TOOLS: readonly (readonly [string, ...string[]])[] = [
  [
    'nvidia-smi',
    '--query-gpu=name,driver_version,memory.total,memory.used,clocks.max.sm,clocks.max.mem,power.limit,ecc.mode.current,utilization.gpu',
    '--format=csv',
  ],
  ['vulkaninfo', '--summary'],
  ['nvcc', '--version'],
];

async function run(_: StageContext, report: StageReport): Promise<void> {
  for (const [program, ...args] of TOOLS) report.detail(program, output(program, args));
  await using gpu = await openGpu({ tuning: false });
  const { features, limits } = gpu.device;
  const { target, adapterInfo: info } = gpu;
  const configs = [...((info as { subgroupMatrixConfigs?: Iterable<object> }).subgroupMatrixConfigs ?? [])];
  report.card(target.name);
  report.detail('adapter', { vendor: info.vendor, architecture: info.architecture, device: info.device });
  report.detail('features', [...features].sort());
  report.detail('limits', plain(limits));
  report.detail('matrixShapes', configs.map(plain));
  report.detail('target', target);
  report.detail('verdict', {
    gpu: !isSoftwareAdapter(info),
    precision: target.f16 && target.subgroupMatrices.length > 0 ? 'f16' : 'f32',
  } satisfies Verdict);
  report.figure({ name: 'processor cores', value: availableParallelism(), unit: '' });
  report.figure({ name: 'memory of the machine', value: totalmem() / 2 ** 30, unit: 'GiB' });
  if (target.memoryBytes !== undefined)
    report.figure({ name: 'memory of the device', value: target.memoryBytes / 2 ** 30, unit: 'GiB' });
  report.figure({ name: 'largest buffer', value: target.maxBufferBytes / 2 ** 30, unit: 'GiB' });
  report.figure({ name: 'largest binding', value: target.maxBindingBytes / 2 ** 30, unit: 'GiB' });
  report.note(
    `features: ${features.has('shader-f16') ? 'f16' : 'no f16'}, ${subgroups(info)}, ${target.timestamps ? 'timestamps' : 'no timestamps'}`,
  );
  report.note(`matrix shapes as the driver lists them: ${configs.map(shapeText).join('; ') || 'none'}`);
  report.note(
    `of f16 to f32, as they are tried: ${target.subgroupMatrices.map(({ M, N, K }) => `${M}x${N}x${K}`).join(', ') || 'none'}`,
  );
}

/** What a program says, or why it says nothing. */
function output(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', timeout: 8000, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'not installed' : String(error);
  }
}

/** The values of an object whose properties are getters of its class. */
function plain(object: object): Record<string, unknown> {
  const names = new Set([
    ...Object.keys(object),
    ...Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object))),
  ]);
  const entries = [...names].map((name) => [name, (object as Record<string, unknown>)[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => typeof value !== 'function'));
}

function subgroups(info: GPUAdapterInfo): string {
  const { subgroupMinSize: least, subgroupMaxSize: most } = info as {
    subgroupMinSize?: number;
    subgroupMaxSize?: number;
  };
  return least === most ? `subgroups of ${least}` : `subgroups of ${least} to ${most}`;
}

function shapeText(config: object): string {
  const { M, N, K, componentType, resultComponentType } = plain(config);
  return `${componentType} to ${resultComponentType} ${M}x${N}x${K}`;
}
