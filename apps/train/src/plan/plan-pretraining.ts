/** The compiled plan of a pretraining step, made on paper: no device is touched and nothing is allocated. */
import {
  type PretrainOptions,
  pretrainGroups,
  pretrainSignature,
  pretrainStep,
  prototypeChunks,
} from '@franca/pretraining';
import { layoutState, type Plan, planStep, type Target } from '@franca/tensor';

/** Plans the step of a run for an adapter. @throws TensorError `binding-limit` where a tensor does not fit one binding */
export function planPretraining(options: PretrainOptions, target: Target): Plan {
  const layout = layoutState(pretrainGroups(options), target);
  return planStep(target, layout, pretrainStep(options, prototypeChunks(target)), pretrainSignature(options));
}
