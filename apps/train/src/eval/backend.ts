/** Where the heavy operations of evaluations run: on the adapter that the model runs on, where there is one. */
import { cpuBackend, type EvalBackend, gpuBackend } from '@franca/evals';
import type { FeatureSession } from '../features/session';

/** Dispose of it before the session. */
export const chooseBackend = (session: FeatureSession | undefined): EvalBackend & Disposable =>
  session ? gpuBackend(session.gpu) : { ...cpuBackend, [Symbol.dispose]: () => {} };
