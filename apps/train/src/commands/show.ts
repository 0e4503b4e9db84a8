/** `franca-train show`: pictures of what a model sees in pictures. */
import { PCA_RECIPES, type PcaRecipeName } from '@franca/viz';
import { type Command, InvalidArgumentError } from 'commander';
import { examples } from '../command-line';
import { openSession, type SessionOptions, withWeights } from '../features/session';
import { defaultSize } from '../image-sets/preparation';
import { checkOutputFolder } from '../options/outputs';
import { type Look, look, readPicture } from '../show/picture-features';
import { writeLooks } from '../show/write-looks';

interface Options extends SessionOptions {
  readonly out: string;
  readonly recipes: readonly PcaRecipeName[];
  readonly joint?: true;
  readonly mass: number;
}

/** Adds the command. */
export function register(program: Command): void {
  withWeights(program.command('show'))
    .description('draw PCA maps and the attention of CLS for pictures (PNG and SVG)')
    .argument('<images...>', 'image files')
    .requiredOption('-o, --out <folder>', 'folder for the figures')
    .option('--recipes <names>', `ways to colour PCA: ${recipeNames.join(', ')}`, parseRecipes, ['paper'])
    .option('--joint', 'one PCA over all pictures, so that equal things get equal colours')
    .option('--mass <share>', 'share of attention kept in the masked picture', parseShare, 0.6)
    .addHelpText(
      'after',
      examples([
        ['franca-train show -w vitb14.pth cat.jpg dog.jpg --out maps', 'one row per picture'],
        ['franca-train show -w run photos/*.jpg --joint --recipes paper,mid --out maps', 'colours shared by all'],
      ]),
    )
    .action(async (images: string[], options: Options) => {
      await checkOutputFolder(options.out);
      // As in the paper's figures, twice the side that features are evaluated at.
      await using session = await openSession(options, (config) => 2 * defaultSize(config));
      for (const note of session.weights.notes) console.log(`note: ${note}`);
      const looks: Look[] = [];
      for (const path of images) looks.push(await look(session, await readPicture(path)));
      const written = await writeLooks(options.out, looks, { ...options, joint: Boolean(options.joint) });
      console.log(`wrote ${written.length} files to ${options.out}: ${written.slice(0, 4).join(', ')}, ...`);
    });
}

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
