/** `franca-train rasa`: the planes that tell where a patch lies, found and removed. */
import { join } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import type { RasaFit } from '@franca/rasa';
import { writeFigure } from '@franca/viz/node';
import type { Command } from 'commander';
import { examples } from '../command-line';
import { chooseBackend } from '../eval/backend';
import { openContext } from '../eval/context';
import { writeJson } from '../eval/results';
import { chosenData } from '../features/data-of-run';
import { openSession, type SessionOptions, withWeightsAndImages } from '../features/session';
import { positiveInteger, positiveNumber, trainTest } from '../options/option-values';
import { checkOutputFile, checkOutputFolder } from '../options/outputs';
import { fitOnImages, RASA_DEFAULTS, type RasaOptions } from '../rasa/fit-on-images';
import { positionChart, positionReadings } from '../rasa/position-readings';
import { foldingRecord, proveFolding } from '../rasa/prove-folding';
import { RASA_FILES, writeRasa } from '../rasa/write-rasa';

interface Options extends SessionOptions, Omit<RasaOptions, 'official'> {
  readonly data?: string;
  readonly out: string;
  readonly images?: { readonly train: number; readonly test: number };
  readonly official?: true;
  readonly json?: string;
}

/** Adds the command. */
export function register(program: Command): void {
  withWeightsAndImages(program.command('rasa'))
    .description('remove from patch tokens what tells their position (RASA)')
    .option('-d, --data <data>', 'images to learn from: any data, or "world" (default: what the run was trained on)')
    .requiredOption('-o, --out <folder>', 'folder for the heads and the folded checkpoint')
    .option('--images <train,test>', 'at most so many images, evenly spaced', trainTest)
    .option('--planes <n>', 'at most so many planes', positiveInteger, RASA_DEFAULTS.planes)
    .option(
      '--epochs <n>',
      'passes over the images per plane (default: 5, more where that is under 300 steps)',
      positiveInteger,
    )
    .option('--train-batch <n>', 'images per step (default: 128, at most a sixteenth of the images)', positiveInteger)
    .option(
      '--lr <rate>',
      'peak learning rate (official: 2e-4, which needs thousands of images)',
      positiveNumber,
      RASA_DEFAULTS.lr,
    )
    .option('--min-r2 <r2>', 'stop where position is read no better than this', positiveNumber, RASA_DEFAULTS.minR2)
    .option('--official', 'start and chain heads as the official code: planes not orthogonal to each other')
    .option('--json <file>', 'write the records: position after each plane, folded against projected')
    .addHelpText(
      'after',
      examples([
        ['franca-train rasa -w vitb14.pth -d photos --out vitb14-rasa', 'nine planes at most'],
        ['franca-train eval in-context -w vitb14.pth --rasa vitb14-rasa/rasa_head.safetensors -d VOC2012', 'use'],
      ]),
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  await checkOutputFolder(options.out, { names: RASA_FILES, inputs: [options.weights] });
  if (options.json) await checkOutputFile(options.json, [options.weights]);
  const part = 'planes from the part that it learned from, read on its held-out part';
  const { spec, heldOut, said } = await chosenData({ weights: options.weights, asked: options.data, part });
  if (said) console.log(said);
  // Planes are looked for in what the model itself gives.
  await using session = await openSession({ ...options, rasa: 'none' });
  for (const note of session.weights.notes) console.log(`note: ${note}`);
  const images = options.images ?? {};
  using backend = chooseBackend(session);
  await using context = openContext(session, backend, {
    data: spec,
    denseData: spec,
    heldOut,
    images,
    denseImages: images,
  });
  const parts = { train: await context.patches('train'), test: await context.patches('test') };
  const official = Boolean(options.official);
  const fit = await fitOnImages(session, parts.train, { ...options, official });
  const readings = await positionReadings(backend, parts, fit.bases, session);
  for (const line of readingLines(fit, readings)) console.log(line);
  if (fit.heads.length === 0) return console.log('nothing was written: there is no position to remove');

  const test = parts.test.set;
  const files = await writeRasa(options.out, session.weights, fit.bases, official ? fit.heads : undefined);
  const proof = await proveFolding(session, test, files);
  console.log(
    `folded equals projected on ${proof.images} images: ${proof.values} patch values up to ${proof.largest.toFixed(2)} differ by ` +
      `${proof.difference.toExponential(1)} at most, CLS by ${proof.clsDifference.toExponential(1)}`,
  );
  const figure = join(options.out, 'position.svg');
  await writeFigure(figure, positionChart(readings));
  if (options.json)
    await writeJson(options.json, [...readings, foldingRecord(test, session.weights, session.size, proof)]);
  for (const path of [files.headsFile, files.foldedFile, figure, ...(options.json ? [options.json] : [])])
    console.log(`wrote ${path}`);
}

/** One line per reading: what the head that is trained next reads, and what least squares reads on other images. */
function readingLines({ stages, stoppedEarly }: RasaFit, readings: readonly EvalRecord[]): string[] {
  const lines = readings.map(({ variant, value, others }, i) => {
    const head = stages[i] ? stages[i].r2.toFixed(3) : '';
    return `${variant.padEnd(16)}  ${head.padStart(8)}  ${value.toFixed(3).padStart(13)}  ${others.MSE!.toFixed(4).padStart(8)}`;
  });
  const header = `${'planes removed'.padEnd(16)}  ${'head R2'.padStart(8)}  ${'least sq. R2'.padStart(13)}  ${'MSE'.padStart(8)}`;
  return [header, ...lines, ...(stoppedEarly ? ['stopped: position is not read any more'] : [])];
}
