/** Where the weights are that a person means: a file, the newest teacher of a run, an imported backbone. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { latestRunCheckpoint } from '@franca/checkpoint';
import { TrainError } from '../errors';

export interface FoundWeights {
  readonly file: string;
  /** Configuration of the run that made them. */
  readonly configFile?: string;
  /** RASA heads beside them. */
  readonly rasaFile?: string;
  /** For records: file or folder, shortly. */
  readonly name: string;
}

/** Files of a folder that hold a backbone, the preferred one first. */
const CANDIDATES = [
  'teacher.safetensors',
  'backbone.safetensors',
  'folded.safetensors',
  'model.safetensors',
  'model.safetensors.index.json',
];

/** @throws TrainError `file` where there are no weights */
export async function findWeights(path: string): Promise<FoundWeights> {
  if (!existsSync(path))
    throw new TrainError('file', `${path} does not exist; give a file of weights or the folder of a run`);
  if (!statSync(path).isDirectory()) return { file: path, name: basename(path).replace(/\.\w+$/, '') };
  const existing = (name: string) => [join(path, name)].filter(existsSync).at(0);
  const file = CANDIDATES.map(existing).find(Boolean) ?? (await newestTeacher(path));
  if (!file)
    throw new TrainError(
      'file',
      `${path} holds no weights: none of ${CANDIDATES.join(', ')}, no checkpoint; it holds ${listing(path)}`,
    );
  return {
    file,
    name: basename(resolve(path)),
    configFile: existing('config.yaml'),
    rasaFile: existing('rasa_head.safetensors'),
  };
}

/** The teacher of the last whole checkpoint of a run that has exported none yet. */
async function newestTeacher(run: string): Promise<string | undefined> {
  if (!existsSync(join(run, 'checkpoints'))) return undefined;
  const { checkpoint } = await latestRunCheckpoint(run);
  const file = checkpoint && join(checkpoint.path, 'teacher.safetensors');
  return file && existsSync(file) ? file : undefined;
}

function listing(folder: string): string {
  const names = readdirSync(folder);
  return names.length === 0 ? 'nothing' : `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;
}
