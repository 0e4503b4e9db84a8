/** A training run as users start it: images per second, waiting for data, and k-NN before and after. */
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generatedWorld } from '@franca/data';
import sharp from 'sharp';
import { runChild } from '../child';
import { francaTrain } from '../programs';
import type { Stage, StageContext, StageReport } from '../stage';
import { readRecord } from '../stage-report';
import { TINY } from '../step-options';

export const train: Stage = {
  name: 'train',
  about: 'a run of franca-train: images/s, waiting, k-NN before and after',
  seconds: 320,
  run: runTraining,
};

const PRESET = { dry: 'cpu-tiny', full: 'gpu-base' };
/** Seconds to draw pictures, check f16, measure kernels, measure k-NN twice and save. */
const AROUND_THE_STEPS = 180;
/** Updates where no time of a step is known. */
const UNKNOWN_PACE_STEPS = 150;

async function runTraining(context: StageContext, report: StageReport): Promise<void> {
  const { dry, work, precision, seconds } = context;
  const data = context.data ?? (await drawPictures(context, report));
  const out = join(work, 'run');
  const steps = dry ? 4 : stepsFor(context);
  const overrides = [
    ...(dry ? [...TINY, 'train.batch_size_per_gpu=8'] : []),
    `franca.precision=${precision}`,
    `franca.log.interval=${dry ? 2 : 10}`,
    'franca.log.picture_interval=0',
    'franca.knn.interval=1000000',
  ];
  const command = francaTrain(
    ...['pretrain', '-c', dry ? PRESET.dry : PRESET.full, '--data', data, '--out', out],
    ...['--stop-after', String(steps), ...(dry ? [] : ['--adapter', 'gpu']), ...overrides],
  );
  report.detail('command', command.slice(1));
  const threads = process.env.UV_THREADPOOL_SIZE ?? String(availableParallelism());
  const env = { ...process.env, UV_THREADPOOL_SIZE: threads };
  const { status, timedOut, tail } = await runChild(command, seconds - 5, env);
  await readFigures(out, report);
  report.detail('output', tail);
  if (timedOut) throw new Error(`the run did not end within ${Math.round(seconds - 5)} s`);
  if (status !== 0) throw new Error(`franca-train ended with exit status ${status}`);
}

/** As many updates as fill the time, by the time of a step that was measured before. */
function stepsFor({ before, seconds }: StageContext): number {
  const known = readRecord(before.step)?.details.engineMilliseconds;
  if (typeof known !== 'number') return UNKNOWN_PACE_STEPS;
  // the step of the preset has 64 images of 98 pixel crops where 32 were timed
  const expected = (2 * known) / 1000;
  return Math.max(20, Math.min(2000, Math.floor((seconds - AROUND_THE_STEPS) / expected)));
}

/** JPEGs in a folder for each class, so that reading and decoding have to do what they do for photographs. */
async function drawPictures({ dry, work }: StageContext, report: StageReport): Promise<string> {
  const [length, size] = dry ? [48, 32] : [2048, 384];
  const world = generatedWorld({ length, size });
  const folder = join(work, 'pictures');
  for (const name of world.classes) await mkdir(join(folder, name), { recursive: true });
  const draw = async (index: number): Promise<void> => {
    const content = await world.read(index);
    if (!('pixels' in content)) throw new Error('the generated world has no pixels');
    const { data, width, height, channels } = content.pixels;
    const path = join(folder, world.classes[world.label(index)]!, `${index}.jpg`);
    await sharp(data, { raw: { width, height, channels } }).jpeg({ quality: 90 }).toFile(path);
  };
  try {
    for (let first = 0; first < length; first += 64)
      await Promise.all(Array.from({ length: Math.min(64, length - first) }, (_, i) => draw(first + i)));
  } finally {
    await world.close?.();
  }
  report.note(`no --data: ${length} pictures of the generated world, ${size} pixels wide, as JPEG`);
  return folder;
}

interface Interval {
  readonly images_per_second: number;
  readonly data_wait_ms: number;
}

async function readFigures(out: string, report: StageReport): Promise<void> {
  if (!existsSync(join(out, 'outcome.json'))) {
    report.note('the run left no figures: it did not come to its first step');
    return;
  }
  const intervals: Interval[] = [];
  for await (const line of createInterface({ input: createReadStream(join(out, 'metrics.jsonl')) })) {
    const row = JSON.parse(line) as Partial<Interval>;
    if (row.images_per_second !== undefined && row.data_wait_ms !== undefined) intervals.push(row as Interval);
  }
  report.detail('intervals', intervals);
  // the first interval pays for the first step
  const settled = intervals.slice(1);
  if (settled.length > 0) {
    report.figure({
      name: 'images/s',
      value: median(settled.map((row) => row.images_per_second)),
      unit: 'images/s',
      beside: `median of ${settled.length} intervals`,
    });
    report.figure({
      name: 'waiting for data',
      value: median(settled.map((row) => row.data_wait_ms)),
      unit: 'ms a step',
    });
  }
  const outcome = JSON.parse(await readFile(join(out, 'outcome.json'), 'utf8')) as Outcome;
  report.detail('outcome', outcome);
  report.figure({ name: 'updates', value: outcome.step, unit: '' });
  if (outcome.knn) {
    const { share, pixels, start, images, classes } = outcome.knn;
    const beside = `${images} images of ${classes} classes; raw pixels ${percent(pixels.share)}`;
    if (start) report.figure({ name: 'k-NN before', value: 100 * start.share, unit: '%' });
    report.figure({ name: 'k-NN after', value: 100 * share, unit: '%', beside });
  } else report.note('no k-NN: the pictures have no classes, or too few are held out');
}

interface Outcome {
  readonly step: number;
  readonly knn?: {
    readonly share: number;
    readonly images: number;
    readonly classes: number;
    readonly pixels: { readonly share: number };
    readonly start?: { readonly share: number };
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
