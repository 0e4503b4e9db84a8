/** What a checkpoint of a run holds beside tensors: where the run stands, and what its steps so far were made with. */
import type { RunCheckpoint } from '@franca/checkpoint';
import type { LoaderCursor } from '@franca/data';
import type { MemoryChoice } from '@franca/pretraining';
import { z } from 'zod';
import { isTree, type Tree } from '../config/tree';
import { TrainError } from '../errors';
import { type DataRecord, dataRecord } from './data-record';

export interface SavedState {
  readonly cursor: LoaderCursor;
  readonly imagesSeen: number;
  /** Of training, in all parts of the run. */
  readonly secondsSpent: number;
  /** Absent in checkpoints of the first versions. */
  readonly made?: Ingredients | undefined;
}

/** Which frozen teacher a run learns from; a checkpoint names it and does not hold it. */
export interface TeacherRecord {
  /** Where it lay. */
  readonly file: string;
  /** Over its configuration and all of its weights. */
  readonly sha256: string;
}

/** What decides the numbers of a run, beside its code. */
export interface Ingredients {
  /** The complete configuration. */
  readonly config: Tree;
  /** What `franca.precision: auto` came to. */
  readonly precision: 'f16' | 'f32';
  /** What `franca.remat` and the device's memory came to. Absent in checkpoints of the first versions. */
  readonly memory?: MemoryChoice | undefined;
  readonly data: DataRecord;
  /** Ranks that computed it together. Absent: one. */
  readonly ranks?: number | undefined;
  /** Absent: the teacher is the moving average of the student. */
  readonly teacher?: TeacherRecord | undefined;
}

export const STATE_VERSION = 1;

const count = () => z.number().int().nonnegative();
const fingerprint = z.object({
  files: count(),
  images: count(),
  part: z.string().optional(),
  stretches: z.array(z.object({ first: z.string(), hash: z.string() })),
});
const savedState: z.ZodType<SavedState> = z.object({
  cursor: z.object({
    // checkpoints of the first versions also have a rank, 0, and a number of ranks, 1
    sampler: z.object({ length: count(), seed: count(), drawn: count(), data: fingerprint.optional() }),
    badImages: z.object({ seen: count(), bad: count() }),
  }),
  imagesSeen: count(),
  secondsSpent: z.number().nonnegative(),
  made: z
    .object({
      config: z.custom<Tree>(isTree, 'expected sections'),
      precision: z.enum(['f16', 'f32']),
      memory: z.object({ remat: z.boolean(), keepBytes: count() }).optional(),
      data: dataRecord,
      ranks: z.number().int().positive().optional(),
      teacher: z.object({ file: z.string(), sha256: z.string() }).optional(),
    })
    .optional(),
});

/** Reads what `saveRunCheckpoint` was given. @throws TrainError `run` where it is something else */
export function parseSavedState(value: unknown, path: string): SavedState {
  const { success, data, error } = savedState.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw new TrainError(
    'run',
    `${path} does not say where the run stands (${issue!.path.join('.')}: ${issue!.message}); move it away to resume from an earlier checkpoint`,
  );
}

/** The state of a checkpoint. @throws TrainError `run`, CheckpointError `version` */
export const savedStateOf = (checkpoint: RunCheckpoint): SavedState =>
  checkpoint.state(STATE_VERSION, (value) => parseSavedState(value, checkpoint.path));
