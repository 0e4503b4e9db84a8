/** `franca-train rasa`: the planes that tell where a patch lies, found and removed. */
import { join } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import type { RasaFit } from '@franca/rasa';
import { writeFigure } from '@franca/viz/node';
import type { Command } from 'commander';
import { examples } from '../command-line';
import { TrainError } from '../errors';
import { chooseBackend } from '../eval/backend';
import { openContext } from '../eval/context';
import { type ProtocolOptions, protocolOption } from '../eval/paper-protocol';
import { type DensePart, type Parts, patchPart } from '../eval/part';
import { writeJson } from '../eval/results';
import { chosenData } from '../features/data-of-run';
import { type FeatureSession, openSession, type SessionOptions, withWeightsAndImages } from '../features/session';
import { spread } from '../image-sets/image-set';
import { defaultSize, wholePatches } from '../image-sets/preparation';
import { positiveInteger, positiveNumber, trainTest } from '../options/option-values';
import { checkOutputFile, checkOutputFolder } from '../options/outputs';
import { fitOnImages, type RasaOptions } from '../rasa/fit-on-images';
import { costOfViews, fitOnViews, followPaper, PAPER_RASA, paperRecipe } from '../rasa/paper-rasa';
import {
  DIRECTIONS,
  FIT_CHANCE,
  FIT_R2,
  HEAD_R2,
  type PlanesToRead,
  positionChart,
  positionReadings,
} from '../rasa/position-readings';
import { type FoldingProof, foldingRecord, proveFolding } from '../rasa/prove-folding';
import { RASA_FILES, writeRasa } from '../rasa/write-rasa';

interface Options extends SessionOptions, RasaOptions, ProtocolOptions {
  /** False: pictures as they are, where the protocol has random views. */
  readonly augment: boolean;
  readonly data?: string;
  readonly out: string;
  readonly images?: { readonly train: number; readonly test: number };
  readonly json?: string;
}

/** Adds the command. */
export function register(program: Command): void {
  withWeightsAndImages(program.command('rasa'))
    .description('remove from patch tokens what tells their position (RASA)')
    .option('-d, --data <data>', 'images to learn from: any data, or "world" (default: what the run was trained on)')
    .requiredOption('-o, --out <folder>', 'folder for the heads and the folded checkpoint')
    .option('--images <train,test>', 'at most so many images, evenly spaced', trainTest)
    .option('--planes <n>', 'at most so many planes (default: 9)', positiveInteger)
    .option(
      '--epochs <n>',
      'passes over the images per plane (default: 5, more where that is under 300 steps)',
      positiveInteger,
    )
    .option('--train-batch <n>', 'images per step (default: an eighth of the images, at most 128)', positiveInteger)
    .option('--lr <rate>', 'peak learning rate (default: 0.02)', positiveNumber)
    .option(
      '--min-r2 <r2>',
      'stop where least squares reads position no better than this above chance (default: 0.01)',
      positiveNumber,
    )
    .addOption(
      protocolOption(
        '518 px, random views anew in each pass, features as they are, batches of 128, five passes at 2e-4, nine planes, chained, of the weights of heads; for thousands of images',
      ),
    )
    .option('--no-augment', 'with --protocol paper: pictures as they are in place of random views, from the cache')
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
  const { protocol, augment } = options;
  if (!protocol && !augment)
    throw new TrainError('usage', '--no-augment is for --protocol paper; without it pictures are taken as they are');
  // Planes are looked for in what the model itself gives.
  await using session = await openSession({ ...options, rasa: 'none' }, (config) =>
    protocol ? wholePatches(PAPER_RASA.size, config.patchSize) : defaultSize(config),
  );
  for (const note of session.weights.notes) console.log(`note: ${note}`);
  const images = options.images ?? {};
  using backend = chooseBackend(session);
  await using context = openContext(session, backend, {
    data: spec,
    denseData: spec,
    heldOut: heldOut ?? {},
    images,
    denseImages: images,
  });
  const parts = { train: await context.patches('train'), test: await context.patches('test') };
  const { fit, read, ...told } = await (protocol
    ? fitByPaper(session, parts, options)
    : fitPlainly(session, parts, options));
  const readings = await positionReadings(backend, read, { bases: fit.bases, fit, ...told }, session);
  for (const line of readingLines(fit, readings)) console.log(line);
  if (fit.heads.length === 0) return console.log('nothing was written: there is no position to remove');

  const test = parts.test.set;
  const { headsFile, foldedFile } = await writeRasa(options.out, session, fit, protocol ? fit.heads : undefined);
  const proof = foldedFile === undefined ? undefined : await proveFolding(session, test, { headsFile, foldedFile });
  console.log(
    proof
      ? foldingLine(proof)
      : `the planes are not folded in: ${options.weights} is no model that could be given another last layer; evaluations remove them with --rasa`,
  );
  const figure = join(options.out, 'position.svg');
  await writeFigure(figure, positionChart(readings));
  const folding = proof ? [foldingRecord(test, session.weights, session.size, proof)] : [];
  if (options.json) await writeJson(options.json, [...readings, ...folding]);
  for (const path of [headsFile, foldedFile, figure, options.json]) if (path) console.log(`wrote ${path}`);
}

const foldingLine = ({ images, values, largest, difference, clsDifference }: FoldingProof): string =>
  `folded equals projected on ${images} images: ${values} patch values up to ${largest.toFixed(2)} differ by ` +
  `${difference.toExponential(1)} at most, CLS by ${clsDifference.toExponential(1)}`;

/** A fit, the parts that position is read from after each plane, and what is to be told of it. */
interface Fitted extends Pick<PlanesToRead, 'notes' | 'settings'> {
  readonly fit: RasaFit;
  readonly read: Parts<DensePart>;
}

const fitPlainly = async (session: FeatureSession, parts: Parts<DensePart>, options: Options): Promise<Fitted> => ({
  fit: await fitOnImages(session, parts.train, options),
  read: parts,
});

/** Under the protocol features of views are not kept, so that position is read from fewer pictures. */
const READ = 500;

async function fitByPaper(session: FeatureSession, parts: Parts<DensePart>, options: Options): Promise<Fitted> {
  const { set } = parts.train;
  const { planes, epochs, trainBatch, lr, minR2, images } = options;
  const given = { planes, epochs, trainBatch, lr, minR2, images, augment: options.augment ? undefined : false };
  const followed = followPaper(session, set, given);
  const values = { ...PAPER_RASA.values, ...followed.values };
  if (values.augment) console.log(costOfViews(set.length, session.size, values));
  const fit = values.augment
    ? await fitOnViews(session, set, values)
    : await fitOnImages(session, parts.train, values, paperRecipe(values));
  const some = (part: DensePart): DensePart => patchPart(session, spread(part.set, READ));
  const read = values.augment ? { train: some(parts.train), test: some(parts.test) } : parts;
  return { fit, read, notes: followed.notes, settings: followed.hyper.settings };
}

/** One line per reading: what least squares and the head that is trained next read on the images of the fit, and what least squares reads on others. */
function readingLines(fit: RasaFit, readings: readonly EvalRecord[]): string[] {
  const lines = readings.map(({ variant, value, others }) => {
    const ofFit = [FIT_R2, FIT_CHANCE, HEAD_R2].map((name) => others[name]?.toFixed(3) ?? '');
    return columns([variant, ...ofFit, value.toFixed(3), others.MSE!.toFixed(4)]);
  });
  return [
    `R2 of position, on the ${fit.images} images of the fit and on others:`,
    columns(['planes removed', 'least sq.', 'of it chance', 'trained head', 'least sq., others', 'MSE, others']),
    ...lines,
    `planes: ${DIRECTIONS[fit.directions]}${fit.directions === 'patterns' ? '; the published ones: --protocol paper' : ''}`,
    ...closingLines(fit),
  ];
}

/** What was left out, which heads learned little, and why there are no more planes. */
function closingLines({ after, stages, stopped, images, leftOut }: RasaFit): string[] {
  const poor = stages.filter(({ before, head }) => head.r2 < (before.r2 - before.chance) / 2).length;
  return [
    ...(leftOut > 0 ? [`note: ${leftOut} of ${images} images do not fill a batch; no head was trained on them`] : []),
    ...(poor > 0
      ? [
          `note: ${poor} of ${stages.length} heads read less than half of what least squares reads: they have not learned; raise --epochs or --lr, or leave out --protocol`,
        ]
      : []),
    stopped === 'position-gone'
      ? 'stopped: what is left of position is chance'
      : `stopped: ${stages.length} planes are removed, as many as asked for; position is still read with R2 ${after.r2.toFixed(3)}`,
  ];
}

const WIDTHS = [-16, 9, 12, 12, 17, 11];

const columns = (cells: readonly string[]): string =>
  cells
    .map((cell, i) => (WIDTHS[i]! < 0 ? cell.padEnd(-WIDTHS[i]!) : cell.padStart(WIDTHS[i]!)))
    .join('  ')
    .trimEnd();
