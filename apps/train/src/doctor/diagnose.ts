/** The doctor's report: opens the adapter, lets it compute a product that is checked, and describes it. */
import { availableParallelism, freemem, totalmem } from 'node:os';
import { findMpi } from '@franca/collective';
import { compile, type Gpu, listedMatrices, matmul, type Tensor } from '@franca/tensor';
import { listGpus, openGpu, thisHost } from '@franca/tensor/node';
import { listPresets } from '../config/presets';
import { TrainError } from '../errors';
import { rateText } from '../plan/describe-rates';
import { amountOfBytes } from '../text/amounts';
import { errorText } from '../text/error-text';
import { judge, latestVerdict } from './half-verdict';
import { driverHints } from './hints';
import { measureRates } from './measure-rates';
import { fits, recommendedPreset } from './preset-fit';
import { keepRates, knownRates, type Rates } from './rates';
import { describeTiles } from './tiles';

export interface DoctorOptions {
  readonly measure?: boolean;
  readonly adapter?: string;
}

/** The report, line by line. @throws TensorError `adapter` if there is none; TrainError `device` if it computes wrong results */
export async function diagnose({ measure = false, adapter }: DoctorOptions): Promise<string[]> {
  await using gpu = await openGpu(adapter === undefined ? {} : { adapter });
  await checkProduct(gpu);
  let rates = await knownRates(gpu.target.name);
  if (measure) {
    rates = await measureRates(gpu);
    await keepRates(gpu.target.name, rates);
  }
  const tiles = await describeTiles(gpu);
  const halves = await latestVerdict(gpu.target.name);
  return [
    ...machineLines(),
    ...adapterLines(gpu),
    ...(gpu.target.family === 'gpu' ? gpuLines(await listGpus()) : []),
    ...matrixLines(gpu),
    ...(halves ? [row('f16', judge(halves.verdict, halves.path).text)] : []),
    ...speedLines(rates),
    ...(tiles ? [row('large products', tiles)] : []),
    ...presetLines(gpu),
    row('several ranks', await ranksText()),
    ...driverHints(gpu.target, thisHost()).map((hint) => row('hint', hint)),
  ];
}

const row = (label: string, text: string): string => `${label.padEnd(16)}${text}`;

const machineLines = (): string[] => [
  row('node', `${process.versions.node} on ${process.platform}-${process.arch}, ${availableParallelism()} cores`),
  row('memory', `${amountOfBytes(totalmem())}, ${amountOfBytes(freemem())} free`),
];

/** What several GPUs are called, to choose among them. */
const gpuLines = (gpus: readonly string[]): string[] =>
  gpus.length < 2 ? [] : gpus.map((name, at) => row(`gpu:${at}`, name));

function adapterLines({ adapterInfo, target, memoryLimit }: Gpu): string[] {
  const { vendor, architecture } = adapterInfo;
  const offered = [
    target.f16 ? 'f16' : undefined,
    target.subgroupSize === undefined
      ? undefined
      : `subgroups of ${target.subgroupSize}${target.statesSubgroupSize ? ', as kernels state' : ''}`,
    target.subgroupMatrices.length > 0
      ? `matrix units (${target.subgroupMatrices.map(({ M, N, K }) => `${M}x${N}x${K}`).join(', ')})`
      : undefined,
    target.timestamps ? 'timestamps' : undefined,
  ].filter((text) => text !== undefined);
  return [
    row('adapter', target.name),
    row(
      '',
      `${target.family === 'cpu' ? 'software, runs on the processor' : 'GPU'} (${[vendor, architecture].filter(Boolean).join(', ')})`,
    ),
    row('', 'computes: a product of matrices came out right'),
    row('features', offered.join(', ') || 'none beyond the defaults'),
    row(
      'limits',
      `${amountOfBytes(target.maxBufferBytes)} a buffer, ${amountOfBytes(target.maxBindingBytes)} a binding, ${target.maxStorageBuffers} buffers a kernel, ` +
        `${target.maxWorkgroupBytes / 1024} KiB and ${target.maxWorkgroupInvocations} threads a workgroup`,
    ),
    row('device memory', memoryText(target.memoryBytes, memoryLimit)),
  ];
}

const memoryText = (memory: number | undefined, limit: number): string =>
  memory === undefined ? 'unknown' : `${amountOfBytes(memory)}, of which at most ${amountOfBytes(limit)} are used`;

/** Every kind of matrices that the driver lists, in its order. */
function matrixLines({ adapterInfo }: Gpu): string[] {
  const kinds = listedMatrices(adapterInfo).map(
    ({ componentType, resultComponentType, M, N, K }) =>
      `${componentType} ${M}x${N}x${K} summed in ${resultComponentType}`,
  );
  return kinds.map((kind, i) => row(i === 0 ? 'driver lists' : '', kind));
}

function speedLines(rates: Rates | undefined): string[] {
  if (!rates) return [row('speed', 'not measured (doctor --measure)')];
  const giga = (rate: number): string => `${(rate / 1e9).toFixed(rate < 1e10 ? 1 : 0)} GFLOP/s`;
  const flops = Object.entries(rates.flops).map(([type, rate]) => `${giga(rate)} in ${type}`);
  const { attention, launch, serial } = rates;
  return [
    row(
      'speed',
      `products ${flops.join(', ')}; memory ${(rates.bytes / 1e9).toFixed(1)} GB/s (measured ${rates.date})`,
    ),
    ...(attention
      ? [row('', `attention ${giga(attention.forward)} forward, ${giga(attention.backward)} backward`)]
      : []),
    ...(launch && serial
      ? [
          row(
            '',
            `${rateText('launchSeconds', launch)} from kernel to kernel, ${rateText('serialSeconds', serial)} a step of a serial loop`,
          ),
        ]
      : [row('', 'an older measurement, without attention, launch and serial loops (doctor --measure)')]),
  ];
}

function presetLines({ target }: Gpu): string[] {
  const memory = target.memoryBytes;
  const presets = listPresets();
  const width = Math.max(...presets.map(({ name }) => name.length));
  const verdict = { true: 'fits', false: 'does not fit', undefined: 'not known' };
  const lines = presets.map((preset) => {
    const fit = verdict[`${fits(preset, memory)}`];
    return row('', `${preset.name.padEnd(width)}  ${fit}${preset.facts.memory ? ` (${preset.facts.memory})` : ''}`);
  });
  return [row('start with', recommendedPreset(target.family, presets, memory)), row('presets', ''), ...lines];
}

/** Whether `mpirun` could start this program as several ranks. */
const ranksText = (): Promise<string> =>
  findMpi().then(
    (library) => `by mpirun or srun, through ${library}`,
    (error) => `not here: ${errorText(error)}`,
  );

/** A product of two small matrices of whole numbers, exact in f32. */
async function checkProduct(gpu: Gpu): Promise<void> {
  const n = 48;
  const a = Float32Array.from({ length: n * n }, (_, i) => (i % 7) - 3);
  const b = Float32Array.from({ length: n * n }, (_, i) => (i % 5) - 2);
  const shape = [n, n];
  using step = await compile(gpu, (_, inputs: { a: Tensor; b: Tensor }) => ({ c: matmul(inputs.a, inputs.b) }), {
    batch: { a: { shape, dtype: 'f32' }, b: { shape, dtype: 'f32' } },
  });
  step.run({ a, b });
  const c = await step.read('c');
  for (let i = 0; i < n * n; i++) {
    const [row, column] = [Math.floor(i / n), i % n];
    let expected = 0;
    for (let k = 0; k < n; k++) expected += a[row * n + k]! * b[k * n + column]!;
    if (c[i] !== expected)
      throw new TrainError(
        'device',
        `${gpu.target.name} computes wrong results: a product gave ${c[i]} where ${expected} is right; update its driver or use --adapter software`,
      );
  }
}
