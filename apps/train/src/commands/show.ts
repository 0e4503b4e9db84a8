/** `franca-train show`: pictures of what a model sees in pictures. */
import { join } from 'node:path';
import { PCA_RECIPES, type PcaRecipeName } from '@franca/viz';
import { type Command, InvalidArgumentError } from 'commander';
import { examples } from '../command-line';
import { TrainError } from '../errors';
import { chosenData } from '../features/data-of-run';
import { placeOfOutputs } from '../features/place-of-outputs';
import { openSession, type SessionOptions, withWeights } from '../features/session';
import { openImageSets, openTestSet } from '../image-sets/image-set';
import { defaultSize } from '../image-sets/preparation';
import { checkOutputFolder } from '../options/outputs';
import { type Look, look, whyNoAttention } from '../show/picture-features';
import { type Picture, readPicture, readPictures } from '../show/pictures';
import { writeLooks } from '../show/write-looks';

interface Options extends SessionOptions {
  readonly data?: string;
  readonly out?: string;
  readonly recipes: readonly PcaRecipeName[];
  readonly joint?: true;
  readonly mass: number;
}

/** Adds the command. */
export function register(program: Command): void {
  withWeights(program.command('show'))
    .description('draw PCA maps and the attention of CLS for pictures (PNG and SVG)')
    .argument('[images...]', 'image files (default: some held-out images of --data)')
    .option('-d, --data <data>', 'data to take them from (default: what the run was trained on)')
    .option('-o, --out <folder>', 'folder for the figures (default: "show" in the folder of the run)')
    .option('--recipes <names>', `ways to colour PCA: ${recipeNames.join(', ')}`, parseRecipes, ['paper'])
    .option('--joint', 'one PCA over all pictures, so that equal things get equal colours')
    .option('--mass <share>', 'share of attention kept in the masked picture', parseShare, 0.6)
    .addHelpText(
      'after',
      examples([
        ['franca-train show -w run', 'held-out images of what the run was trained on'],
        ['franca-train show -w random:run', 'the same with the untrained model, to compare'],
        ['franca-train show -w vitb14.pth cat.jpg dog.jpg --out maps', 'one row per picture'],
        ['franca-train show -w run photos/*.jpg --joint --recipes paper,mid --out maps', 'colours shared by all'],
      ]),
    )
    .action(run);
}

async function run(images: readonly string[], options: Options): Promise<void> {
  const { weights } = options;
  if (images.length > 0 && options.data !== undefined)
    throw new TrainError('usage', '--data has no effect beside image files; leave one of them out');
  const out = options.out ?? defaultFolder(weights);
  await checkOutputFolder(out);
  const pictures = images.length > 0 ? await Promise.all(images.map(readPicture)) : await heldOutPictures(options);
  // As in the paper's figures, twice the side that features are evaluated at.
  await using session = await openSession(options, (config) => 2 * defaultSize(config));
  for (const note of session.weights.notes) console.log(`note: ${note}`);
  const looks: Look[] = [];
  for (const picture of pictures) looks.push(await look(session, picture));
  const written = await writeLooks(out, looks, { ...options, joint: Boolean(options.joint) });
  const without = whyNoAttention(session);
  if (without !== undefined) console.log(`no attention maps: ${without}`);
  const shown = ['pca.png', ...(without === undefined ? ['attention.png'] : [])].map((name) => join(out, name));
  console.log(`wrote ${written.length} files to ${out}; look at ${shown.join(' and ')}`);
}

function defaultFolder(weights: string): string {
  const place = placeOfOutputs(weights);
  if (place) return join(place.folder, `show${place.suffix}`);
  throw new TrainError('usage', `${weights} lies in no folder of a run; name a folder for the figures with --out`);
}

/** Some images of the part that a run did not learn from. */
async function heldOutPictures({ weights, data: asked }: Options): Promise<Picture[]> {
  const { spec, heldOut, said } = await chosenData({ weights, asked, part: `${PICTURES} images of its held-out part` });
  if (said) console.log(said);
  if (!heldOut) {
    await using set = await openTestSet(spec, { limit: PICTURES });
    return readPictures(set);
  }
  const { test, close } = await openImageSets(spec, { limits: { test: PICTURES }, heldOut });
  try {
    return await readPictures(test);
  } finally {
    await close();
  }
}

/** As many rows as one sees at a glance. */
const PICTURES = 6;

const recipeNames = Object.keys(PCA_RECIPES) as PcaRecipeName[];

function parseRecipes(text: string): PcaRecipeName[] {
  const names = text.split(',');
  const wrong = names.find((name) => !(recipeNames as string[]).includes(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`${wrong} is none of ${recipeNames.join(', ')}`);
  return names as PcaRecipeName[];
}

function parseShare(text: string): number {
  const share = Number(text);
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('expected a number above 0, at most 1');
  return share;
}
