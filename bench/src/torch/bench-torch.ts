/**
 * The training step of a preset as `franca-train` compiles it, beside the same step in plain PyTorch (`step.py`): same weights, same batch, same arithmetic. What is
 * timed is one micro-step that is also an update. The engine goes first and leaves the device before PyTorch begins. A variant of PyTorch that fails is
 * recorded with its error, and one whose first losses differ gets no ratio.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FittedStep, fitPretraining, type MemoryChoice } from '@franca/pretraining';
import { openGpu } from '@franca/tensor/node';
import { type DerivedOptions, derive, loadConfig } from 'franca-train';
import { type EngineTimes, timeEngine } from './engine-step';
import { findPython, runPython, SCRIPTS } from './python';

export const VARIANTS = ['eager', 'compiled'] as const;
export type Variant = (typeof VARIANTS)[number];

export interface TorchBenchOptions {
  readonly preset: string;
  /** `key=value` settings of the configuration. */
  readonly overrides: readonly string[];
  /** Images of the micro-step; absent: as the configuration says. */
  readonly images?: number;
  /** Steps that are timed, after those whose losses are compared. */
  readonly steps: number;
  /** `auto`, `cuda` or `cpu`, for PyTorch. */
  readonly device: string;
  readonly variants: readonly Variant[];
  /** A Python with PyTorch; absent: the first that is found. */
  readonly python?: string;
  /** Folder of `step.py`; default: that of this file. */
  readonly scripts?: string;
  /** What one variant of PyTorch may take. */
  readonly limitSeconds: number;
  readonly log: (line: string) => void;
}

/** What `step.py` prints. */
interface TorchTimes {
  readonly losses: readonly number[];
  readonly milliseconds: number;
  readonly fastest: number;
  readonly slowest: number;
  readonly processor: number;
  /** Until the compared steps were done, compilation included. */
  readonly firstSeconds: number;
  readonly lossScale: number | null;
  readonly skipped: number;
  /** Most that tensors took, and that was taken from the device for them; null on a processor. */
  readonly peakBytes: number | null;
  readonly reservedBytes: number | null;
  readonly precision: string;
  readonly version: string;
  readonly cuda: string | null;
  readonly threads: number;
  readonly device: string;
}

/** One variant beside the engine. */
export type TorchOutcome =
  | { readonly variant: Variant; readonly error: string }
  | (TorchTimes & {
      readonly variant: Variant;
      /** Largest relative difference of the compared losses. */
      readonly lossDifference: number;
      /** PyTorch's time over the engine's, by the clock or by processor time; undefined where the two cannot be compared. */
      readonly ratio: number | undefined;
      readonly ratioBy: 'clock' | 'processor' | undefined;
      /** Why there is no ratio. */
      readonly refused: string | undefined;
    });

export interface TorchRecord {
  readonly preset: string;
  readonly overrides: readonly string[];
  readonly images: number;
  readonly precision: 'f16' | 'f32';
  readonly accumulation: number;
  /** What was timed, in words. */
  readonly timed: string;
  readonly memory: MemoryChoice & { readonly note: string };
  readonly adapter: string;
  readonly family: 'cpu' | 'gpu';
  readonly node: string;
  readonly date: string;
  readonly engine: EngineTimes;
  /** Above it a difference of losses is no rounding: f32 after two updates; f16 rounds to 11 bits. */
  readonly tolerance: number;
  readonly torch: readonly TorchOutcome[];
}

const TOLERANCE = { f32: 1e-3, f16: 2e-2 };

/** Times both. @throws Error, TrainError, TensorError where the engine cannot run the step */
export async function benchTorch(options: TorchBenchOptions): Promise<TorchRecord> {
  const folder = await mkdtemp(join(tmpdir(), 'franca-bench-'));
  try {
    const own = await benchEngine(options, folder);
    const torch: TorchOutcome[] = [];
    for (const variant of options.variants) {
      const outcome = await benchVariant(options, own, folder, variant);
      for (const line of torchLines(outcome)) options.log(line);
      torch.push(outcome);
    }
    return { ...own, torch };
  } finally {
    await rm(folder, { recursive: true });
  }
}

type OwnRecord = Omit<TorchRecord, 'torch'>;

async function benchEngine(
  { preset, overrides, images, steps, log }: TorchBenchOptions,
  folder: string,
): Promise<OwnRecord> {
  await using gpu = await openGpu({ robustness: false });
  const { family, name } = gpu.target;
  const settings = [...overrides, ...(images === undefined ? [] : [`train.batch_size_per_gpu=${images}`])];
  const { config } = loadConfig([preset], settings);
  const derived = derive(config, { size: 1, rank: 0, f16: family === 'gpu' && gpu.target.f16 });
  if (derived.centering !== 'sinkhorn_knopp') throw new Error('step.py knows targets by Sinkhorn-Knopp only');
  const { accumulation } = derived.batch;
  const micro =
    accumulation > 1
      ? `${accumulation} micro-steps an update; one micro-step with its update is timed, at the learning rate of the update`
      : 'one update of one micro-step is timed';
  const timed = derived.vit.layerScale === undefined ? micro : `${micro}; LayerScale starts at 1`;
  const fitted = fitPretraining(comparable(derived), gpu.target);
  const { batch, precision } = derived;
  log(`${preset}, ${batch.perDevice} images, ${precision}: ${timed}; ${fitted.note}`);
  const engine = await timeEngine(gpu, fitted, folder, steps);
  for (const line of engineLines(name, engine)) log(line);
  return {
    preset,
    overrides: settings,
    images: batch.perDevice,
    precision,
    accumulation,
    timed,
    memory: memoryOf(fitted),
    adapter: name,
    family,
    node: process.version,
    date: new Date().toISOString(),
    engine,
    tolerance: TOLERANCE[precision],
  };
}

/**
 * The same recipe, its learning rates too, with an update after each micro-step. Where there is LayerScale it starts at 1: at the official 1e-5 the CLS tokens of
 * different images differ by rounding alone, KoLeo is the logarithm of their distances, and no two programs would agree on the loss.
 */
const comparable = (derived: DerivedOptions): DerivedOptions => ({
  ...derived,
  batch: { ...derived.batch, accumulation: 1 },
  vit: derived.vit.layerScale === undefined ? derived.vit : { ...derived.vit, layerScale: 1 },
});

const memoryOf = ({ choice, note }: FittedStep): TorchRecord['memory'] => ({ ...choice, note });

async function benchVariant(
  { python: program, scripts = SCRIPTS, device, steps, limitSeconds }: TorchBenchOptions,
  own: OwnRecord,
  folder: string,
  variant: Variant,
): Promise<TorchOutcome> {
  try {
    const python = findPython(program);
    if (!python) throw new Error('no Python with PyTorch here');
    const args = [folder, '--device', device, '--steps', String(steps), '--variant', variant];
    const times = await runPython<TorchTimes>({ python, scripts, script: 'step.py', args, limitSeconds });
    return { variant, ...times, ...compare(own, times) };
  } catch (error) {
    return { variant, error: (error as Error).message };
  }
}

/** Whether the two can be compared, and how. */
export function compare(
  { engine, family, tolerance }: Pick<OwnRecord, 'engine' | 'family' | 'tolerance'>,
  torch: Pick<TorchTimes, 'losses' | 'milliseconds' | 'processor' | 'device'>,
): {
  lossDifference: number;
  ratio: number | undefined;
  ratioBy: 'clock' | 'processor' | undefined;
  refused: string | undefined;
} {
  const apart = engine.losses.map((loss, i) => Math.abs(loss - torch.losses[i]!) / Math.abs(loss));
  const lossDifference = Math.max(...apart);
  const none = { lossDifference, ratio: undefined, ratioBy: undefined };
  // NaN is no agreement
  if (!(lossDifference <= tolerance))
    return { ...none, refused: `the losses differ by ${lossDifference}: the two steps are not the same` };
  if ((family === 'cpu') !== (torch.device === 'cpu'))
    return {
      ...none,
      refused: `PyTorch ran on ${torch.device === 'cpu' ? 'the processor' : torch.device}, the engine not`,
    };
  // on a processor its time is what counts, whatever else the machine does; a GPU's time is on the clock only
  const ratioBy = family === 'cpu' ? 'processor' : 'clock';
  const ratio = ratioBy === 'processor' ? torch.processor / engine.processor : torch.milliseconds / engine.milliseconds;
  return { lossDifference, ratio, ratioBy, refused: undefined };
}

const milliseconds = ({ milliseconds: wall, processor }: Pick<EngineTimes, 'milliseconds' | 'processor'>): string =>
  `${wall.toFixed(0)} ms, ${processor.toFixed(0)} ms of processor time`;
const gibibytes = (bytes: number | null): string => (bytes === null ? '' : `, ${(bytes / 2 ** 30).toFixed(2)} GiB`);
const scaleText = (lossScale: number | null, skipped: number): string =>
  lossScale === null ? '' : `; loss scale ${lossScale}, ${skipped} steps skipped`;

const engineLines = (adapter: string, engine: EngineTimes): string[] => [
  `engine on ${adapter}: ${milliseconds(engine)}${gibibytes(engine.peakBytes)}, ${engine.kernels} kernels, ${(engine.flops / 1e9).toFixed(1)} GFLOP`,
  `  losses ${engine.losses.join(', ')}${scaleText(engine.lossScale, engine.skipped)}`,
  `  other processes kept ${engine.otherLoad.toFixed(1)} processors busy meanwhile`,
];

function torchLines(outcome: TorchOutcome): string[] {
  if ('error' in outcome) return [`PyTorch, ${outcome.variant}: failed: ${outcome.error}`];
  const { variant, version, device, threads, precision, losses, lossScale, skipped, ratio, ratioBy, refused } = outcome;
  return [
    `PyTorch ${version}, ${variant}, on ${device === 'cpu' ? `the processor, ${threads} threads` : device}, ${precision}: ${milliseconds(outcome)}${gibibytes(outcome.peakBytes)}`,
    `  losses ${losses.join(', ')}${scaleText(lossScale, skipped)}; they differ by ${outcome.lossDifference.toExponential(1)}`,
    ratio === undefined
      ? `  no ratio: ${refused}`
      : `  ${ratio < 1 ? `PyTorch is ${(1 / ratio).toFixed(2)}` : `the engine is ${ratio.toFixed(2)}`} times faster by ${ratioBy === 'processor' ? 'processor time' : 'the clock'}`,
  ];
}
