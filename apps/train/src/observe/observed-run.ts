/** What is looked at to write down how a run goes, and where that is written. */
import type { CompiledPretrainStep, ScheduledValues } from '@franca/pretraining';
import type { Gpu } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';
import type { MetricsLog } from './metrics-log';
import type { Progress } from './progress';
import type { RunRecord } from './run-record';
import type { StartingWeights } from './run-start';
import type { TeacherReading } from './teacher-reading';
import type { EventWriter } from './tensorboard';
import type { RunOutcome } from './verdict';

export interface ObservedRun {
  readonly gpu: Gpu;
  readonly options: DerivedOptions;
  /** The run folder. */
  readonly out: string;
  readonly configText: string;
  /** What was assumed, left out or changed in all parts of the run, in words. */
  readonly history: readonly string[];
  /** Whether it began with fresh weights, and which run it left at which step, if it is a fork. */
  readonly weights: StartingWeights;
  readonly fork: RunOutcome['fork'];
  readonly distilled: RunOutcome['distilled'];
  readonly step: CompiledPretrainStep;
  readonly schedule: (iteration: number) => ScheduledValues;
  readonly record: RunRecord;
  readonly reading: TeacherReading;
  readonly log: MetricsLog;
  readonly events: EventWriter;
  readonly progress: Progress;
  /** Bytes on the device beside the engine's own. */
  readonly extraBytes: number;
}

/** Bytes on the device in all. */
export const deviceBytes = ({ gpu, extraBytes }: Pick<ObservedRun, 'gpu' | 'extraBytes'>): number =>
  gpu.allocatedBytes + extraBytes;
