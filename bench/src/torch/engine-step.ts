/** The engine's side of the comparison: inputs written for PyTorch, losses of the first steps, times of the next. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type FittedStep,
  type PretrainOptions,
  pretrainGroups,
  pretrainRule,
  pretrainSignature,
} from '@franca/pretraining';
import type { Gpu, Shape } from '@franca/tensor';
import { watchOtherLoad } from '../machine-load';
import { median, type Sample, time } from '../measure';
import { type Knobs, openStep } from '../pretraining-step';
import type { Named } from './batch';
import { createTensorFile } from './tensor-file';

/** Losses that are compared: two updates lie between them. */
const COMPARED_STEPS = 3;

/** What was measured of the engine. */
export interface EngineTimes {
  /** Of the first steps that were taken. */
  readonly losses: readonly number[];
  /** Medians of one step: by the clock, and of processor time. */
  readonly milliseconds: number;
  readonly fastest: number;
  readonly slowest: number;
  readonly processor: number;
  readonly compileSeconds: number;
  /** null: none is used. */
  readonly lossScale: number | null;
  /** First steps that were left out because gradients overflowed. */
  readonly skipped: number;
  /** All buffers on the device; they are allocated before the first step. */
  readonly peakBytes: number;
  readonly kernels: number;
  readonly flops: number;
  /** Processors that other programs kept busy meanwhile. */
  readonly otherLoad: number;
}

/** Initialises a step, writes its inputs to `folder`, and runs and times it. */
export async function timeEngine(gpu: Gpu, fitted: FittedStep, folder: string, steps: number): Promise<EngineTimes> {
  const { options } = fitted;
  using opened = await openStep(gpu, fitted);
  const { state, step, batch, knobs } = opened;
  const read = (group: 'student' | 'teacher') => (name: string) => state.read(group, name);
  await writeInputs(folder, { options, knobs, batch, student: read('student'), teacher: read('teacher') });
  step.run(batch, knobs);
  const losses: number[] = [];
  let skipped = 0;
  for (;;) {
    const [finite] = await step.read('finite');
    if (finite) losses.push((await step.read('loss'))[0]!);
    else skipped++;
    if (losses.length === COMPARED_STEPS) break;
    if (skipped > 20)
      throw new Error(`${skipped} steps overflowed: the loss scale does not come down to where none does`);
    step.run({}, knobs);
  }
  const [lossScale = null] = options.lossScaling ? await step.read('loss_scale') : [];
  const otherLoad = watchOtherLoad();
  const run = (): Promise<void> => {
    step.run({}, knobs);
    return step.done();
  };
  const samples: Sample[] = [];
  for (let i = 0; i < steps; i++) samples.push(await time({ run }, 1));
  const wall = samples.map((sample) => sample.wall);
  return {
    losses,
    milliseconds: median(wall),
    fastest: Math.min(...wall),
    slowest: Math.max(...wall),
    processor: median(samples.map((sample) => sample.processor)),
    compileSeconds: step.compileTime.seconds,
    lossScale,
    skipped,
    peakBytes: gpu.allocatedBytes,
    kernels: step.report.kernels,
    flops: step.report.flops,
    otherLoad: otherLoad(),
  };
}

interface Inputs {
  readonly options: PretrainOptions;
  readonly knobs: Knobs;
  readonly batch: Named;
  /** Weights by name, read when they are written. */
  readonly student: (name: string) => Promise<ArrayLike<number>>;
  readonly teacher: (name: string) => Promise<ArrayLike<number>>;
}

/** `step.bin` with all tensors, `step.json` with their places and everything else. */
async function writeInputs(folder: string, { options, knobs, batch, student, teacher }: Inputs): Promise<void> {
  const groups = pretrainGroups(options);
  const { batch: shapes } = pretrainSignature(options);
  await using file = await createTensorFile(join(folder, 'step.bin'));
  const write = async (
    specs: Readonly<Record<string, { readonly shape: Shape } | undefined>>,
    values: (name: string) => ArrayLike<number> | Promise<ArrayLike<number>>,
  ): Promise<[string, Shape, number][]> => {
    const entries: [string, Shape, number][] = [];
    for (const [name, spec] of Object.entries(specs))
      entries.push([name, spec!.shape, await file.append(asFloats(await values(name)))]);
    return entries;
  };
  const tensors = {
    student: await write(groups.student, student),
    teacher: await write(groups.teacher, teacher),
    batch: await write(shapes, (name) => batch[name]!),
  };
  const rules = Object.fromEntries(Object.keys(groups.student).map((name) => [name, pretrainRule(name, options)]));
  const all = { options, knobs, rules, tensors, comparedSteps: COMPARED_STEPS };
  await writeFile(join(folder, 'step.json'), JSON.stringify(all));
}

const asFloats = (values: ArrayLike<number>): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);
