/** Kernels are compiled before anything of a run is written: with progress, and Ctrl-C ends it there and leaves nothing behind. */
import type { Warming } from '../observe/teacher-reading';
import { kernelProgress } from '../text/kernel-progress';
import { untilStopped } from './stop-signals';

/** @throws TrainError `interrupted` */
export const warming: Warming = async (work) => {
  const { onProgress, end } = kernelProgress();
  await untilStopped((signal) => work({ onProgress, signal })).finally(end);
};

/** The same on a rank that another one speaks for. */
export const warmingQuietly: Warming = (work) => untilStopped((signal) => work({ signal }));
