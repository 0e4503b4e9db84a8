/** `franca-train publish`: an exported model to the Hugging Face hub; without `--yes` it only says what would happen. */
import type { Command } from 'commander';
import { examples } from '../command-line';
import { hubToken } from '../publish/hub-token';
import { describePlan, planPublishing, publish } from '../publish/publish-folder';
import { uploadProgress } from '../publish/upload-progress';
import { programCommand } from '../text/program';

interface Options {
  readonly repo: string;
  readonly public?: true;
  readonly withoutLicense?: true;
  readonly yes?: true;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command('publish')
    .description('upload an exported folder to the Hugging Face hub; without --yes: what would be uploaded')
    .argument('<folder>', 'what export wrote, its README.md filled in')
    .requiredOption('--repo <owner/name>', 'the model repository, which is made where there is none')
    .option('--public', 'make a new repository one that everybody sees (default: a private one)')
    .option('--without-license', 'upload though the model card names no licence')
    .option('--yes', 'upload; the token is that of HF_TOKEN, or the one that `hf auth login` keeps')
    .addHelpText(
      'after',
      examples([
        ['franca-train publish flowers-vit --repo ada/flowers-vit', 'what would be uploaded'],
        ['franca-train publish flowers-vit --repo ada/flowers-vit --yes', 'upload, to a private repository'],
      ]),
    )
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const repository = { repo: options.repo, token: await hubToken(), public: options.public === true };
  const plan = await planPublishing(folder, repository);
  for (const line of describePlan(plan)) console.log(line);
  if (!options.yes) {
    const words = ['publish', folder, '--repo', options.repo, ...(options.public ? ['--public'] : []), '--yes'];
    console.log(`nothing was uploaded; to do so: ${programCommand(words)}`);
    return;
  }
  const progress = uploadProgress(plan.files);
  try {
    const address = await publish(plan, { withoutLicense: options.withoutLicense === true, onUpload: progress.update });
    progress.end();
    console.log(`published: ${address}`);
  } finally {
    progress.end();
  }
}
