/** `franca-train features`: what a checkpoint says about the images of a data set, as a file of tensors. */
import type { HoldOutOptions } from '@franca/data';
import { type Command, Option } from 'commander';
import { examples } from '../command-line';
import { TrainError } from '../errors';
import { chosenData } from '../features/data-of-run';
import { besideNpy } from '../features/files/tensor-features';
import { checkFeatureFormat } from '../features/files/write-file';
import { openSession, type SessionOptions, withWeightsAndImages } from '../features/session';
import { unlabelledNote, writeFeatures } from '../features/write-features';
import { type ImageSet, openImageSets, openTestSet, spread, type TestedPart } from '../image-sets/image-set';
import { centreCrop } from '../image-sets/preparation';
import { positiveInteger } from '../options/option-values';
import { checkOutputFile } from '../options/outputs';
import { amountOfBytes } from '../text/amounts';

interface Options extends SessionOptions {
  readonly data?: string;
  readonly split: 'train' | TestedPart;
  readonly out: string;
  readonly patches?: true;
  readonly squash?: true;
  readonly resize?: number;
  readonly images?: number;
}

/** Adds the command. */
export function register(program: Command): void {
  withWeightsAndImages(program.command('features'))
    .description('write the CLS and patch tokens of a data set to a file: safetensors, NumPy or parquet')
    .option(
      '-d, --data <data>',
      'a folder, shards, hf://owner/name, flowers, world, ..., see @franca/data (default: what the run was trained on)',
    )
    .addOption(
      new Option('--split <part>', 'part of the data; test: the whole of a set that has no parts')
        .choices(['train', 'val', 'test', 'held-out'])
        .default('train'),
    )
    .requiredOption(
      '-o, --out <file>',
      'file to write, by its ending: .safetensors, .npz, .npy (CLS alone, the rest in .json beside it), .parquet',
    )
    .option('--patches', 'patch tokens too: [n, rows, columns, D]')
    .option(
      '--squash',
      'whole pictures squashed to the square, as evaluations of patches see them (default: the centre)',
    )
    .option('--resize <px>', 'shorter side before the centre is cut out (default: 8/7 of --size)', positiveInteger)
    .option('--images <n>', 'at most so many images, evenly spaced', positiveInteger)
    .addHelpText(
      'after',
      examples([
        ['franca-train features -w vitb14.pth -d photos --out photos.safetensors', 'one CLS token per image'],
        [
          'franca-train features -w run --split val --patches --out held-out.safetensors',
          'patch tokens of what a run held out',
        ],
        ['franca-train features -w vitb14.pth -d photos -o photos.npz', 'np.load("photos.npz")["cls"]'],
      ]),
    )
    .action(async (options: Options) => {
      const { weights, data: asked, split } = options;
      const part = split === 'train' ? 'the part that it learned from' : 'its held-out part';
      checkFeatureFormat(options.out, Boolean(options.patches));
      if (options.squash && options.resize !== undefined)
        throw new TrainError('usage', '--resize is for the centre of pictures; leave it out, or --squash');
      const { spec, heldOut, said } = await chosenData({ weights, asked, part });
      for (const path of new Set([options.out, besideNpy(options.out)])) await checkOutputFile(path, [weights, spec]);
      if (said) console.log(said);
      await using session = await openSession(options);
      for (const note of session.weights.notes) console.log(`note: ${note}`);
      await using opened = await openPart(spec, split, heldOut);
      const set = spread(opened, options.images);
      for (const note of [...set.notes, unlabelledNote(set)]) if (note) console.log(`note: ${note}`);
      const preparation = options.squash
        ? ({ kind: 'squash', size: session.size } as const)
        : { ...centreCrop(session.size), ...(options.resize ? { resize: options.resize } : {}) };
      const written = await writeFeatures(options.out, session, set, {
        preparation,
        patches: Boolean(options.patches),
      });
      const of = `of ${set.dataset} ${set.split}`;
      const beside = besideNpy(options.out);
      const files = beside === options.out ? options.out : `${options.out} and ${beside}`;
      console.log(`wrote ${files}: ${written.images} images ${of}, ${amountOfBytes(written.bytes)}`);
    });
}

/** A part; of a run's own data never one that it learned from, unless that is asked for. */
async function openPart(
  spec: string,
  split: Options['split'],
  heldOut: HoldOutOptions | undefined,
): Promise<ImageSet & AsyncDisposable> {
  if (split === 'test' && !heldOut) return openTestSet(spec);
  const { train, test, close } = await openImageSets(spec, {
    heldOut: heldOut ?? {},
    split: split === 'train' ? undefined : split,
  });
  return { ...(split === 'train' ? train : test), [Symbol.asyncDispose]: close };
}
