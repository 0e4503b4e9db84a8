/**
 * The frozen teacher of a distillation: any weights with the heads that they were trained with. A run holds its values on the device and never in a checkpoint, which
 * says by a hash of them which teacher it was; so a run that goes on is refused with another one, wherever the file lies now.
 */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { headSpecs } from '@franca/matryoshka-heads';
import { prefixed } from '@franca/nn';
import { type Distillation, type PretrainGroups, writeFrozenTeacher } from '@franca/pretraining';
import type { State } from '@franca/tensor';
import { type VitConfig, vitSpecs, weightsOf } from '@franca/vit';
import type { TrainConfig } from '../config/train-config';
import { TrainError } from '../errors';
import { configOfFile } from '../features/config-of-file';
import { type HeadPart, openHeads } from '../features/find-head';
import { findWeights } from '../features/find-weights';
import { openModel } from '../features/open-model';
import { programCommand } from '../text/program';
import type { TeacherRecord } from './saved-state';

/** A teacher, as it was found. */
export interface DistillationTeacher extends Distillation {
  /** The file of its backbone. */
  readonly file: string;
  /** For people: file or folder, shortly. */
  readonly name: string;
  /** What was found and assumed, in words. */
  readonly notes: readonly string[];
}

interface OpenTeacher extends DistillationTeacher, AsyncDisposable {
  /** A tensor by its official name with that of its part before it. */
  read(name: string): Promise<ArrayLike<number> | undefined>;
}

/** The teacher that a configuration names, if it does. @throws TrainError `file` where it is none */
export async function teacherOf({ franca: { distillation } }: TrainConfig): Promise<DistillationTeacher | undefined> {
  if (distillation.teacher === null) return undefined;
  await using teacher = await openTeacher(distillation.teacher).catch((error) => {
    if (!(error instanceof TrainError)) throw error;
    throw new TrainError(error.code, `franca.distillation.teacher: ${error.message}`, { cause: error });
  });
  const { file, name, vit, heads, notes } = teacher;
  return { file, name, vit, heads, notes };
}

async function openTeacher(path: string): Promise<OpenTeacher> {
  const found = await findWeights(path);
  const opened: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]();
  };
  try {
    const wayOut = `${programCommand(['import', found.file, '--network', 'NAME', '--out', 'FOLDER'])} takes one out`;
    const { file, parts, notes } = await openModel(found.file, undefined, wayOut);
    opened.push({ [Symbol.asyncDispose]: () => file.close() });
    const { config: vit, notes: assumed } = configOfFile(file, parts.backbone, { runConfig: found.configFile });
    const backbone = weightsOf(parts.backbone);
    const stored = await openHeads({ file: found.file, parts, metadata: file.metadata, read: backbone });
    opened.push(stored);
    const headNamed = (part: HeadPart) => stored.heads.find((head) => head.part === part);
    const heads = { dino_head: headNamed('dino_head') ?? refuse(path), ibot_head: headNamed('ibot_head') };
    return {
      file: resolve(found.file),
      name: found.name,
      vit,
      heads: { dino: heads.dino_head.config, ibot: heads.ibot_head?.config },
      notes: [...found.notes, ...notes, ...assumed],
      async read(name) {
        const part = name.slice(0, name.indexOf('.')) as 'backbone' | HeadPart;
        const plain = name.slice(part.length + 1);
        return part === 'backbone' ? backbone(plain) : heads[part]?.read(plain);
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function refuse(path: string): never {
  throw new TrainError(
    'file',
    `${path} is no teacher to distil: it has no heads, whose prototypes a student learns to predict; give a run or a teacher checkpoint with dino_head, or make heads on a frozen trunk: ${programCommand(['pretrain', '--config', 'continue', '--from', path])}`,
  );
}

/** What a checkpoint says of the teacher: a SHA-256 over what it is made of, and over all of its weights in order. */
export async function recordTeacher({ file, vit, heads }: DistillationTeacher): Promise<TeacherRecord> {
  await using teacher = await openTeacher(file);
  const hash = createHash('sha256').update(JSON.stringify([sorted(vit), heads]));
  const names = {
    ...prefixed('backbone', vitSpecs(vit)),
    ...prefixed('dino_head', headSpecs(heads.dino)),
    ...(heads.ibot ? prefixed('ibot_head', headSpecs(heads.ibot)) : {}),
  };
  for (const name of Object.keys(names)) {
    const values = await teacher.read(name);
    hash.update(`${name}\0`).update(new Uint8Array(Float32Array.from(values ?? []).buffer));
  }
  return { file, sha256: hash.digest('hex') };
}

const sorted = (vit: VitConfig) => Object.entries(vit).sort(([one], [other]) => (one < other ? -1 : 1));

/** Puts the weights of the teacher that was recorded into the state. */
export async function fillTeacher(state: State<PretrainGroups>, { file }: TeacherRecord): Promise<void> {
  await using teacher = await openTeacher(file);
  await writeFrozenTeacher(state, teacher.read);
}
