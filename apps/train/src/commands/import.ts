/** `franca-train import`: a checkpoint as safetensors, the backbone and each head in a file of its own. */
import { type Command, InvalidArgumentError } from 'commander';
import { examples } from '../command-line';

interface Options {
  readonly out: string;
  readonly network?: 'teacher' | 'student';
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command('import')
    .description('convert a checkpoint (.pth, .tar.gz parts, safetensors) to safetensors')
    .argument('<file...>', 'checkpoint; several files are the parts of one archive')
    .requiredOption('-o, --out <folder>', 'folder for backbone.safetensors, dino_head.safetensors, ...')
    .option('--network <name>', 'teacher or student, where the file has both (default: teacher)', parseNetwork)
    .addHelpText(
      'after',
      examples([
        ['franca-train import franca_vitb14_In21K.pth --out vitb14', 'a released checkpoint'],
        ['franca-train import franca_vitg14.tar.gz.part_* --out vitg14', 'an archive in parts'],
        ['franca-train import model.rank_0.pth --network student --out s', 'the student of a training checkpoint'],
      ]),
    )
    .action(async (files: string[], { out, network }: Options) => {
      const { importCheckpoint } = await import('../import/import-checkpoint');
      for (const line of await importCheckpoint(files, out, network)) console.log(line);
    });
}

function parseNetwork(value: string): 'teacher' | 'student' {
  if (value === 'teacher' || value === 'student') return value;
  throw new InvalidArgumentError('expected teacher or student');
}
