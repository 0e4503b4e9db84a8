/** The compiled plan of a pretraining step, made on paper: no device is touched and nothing is allocated. */
import { fitPretraining, type PretrainOptions } from '@franca/pretraining';
import type { Plan, Target } from '@franca/tensor';

/** Plans the step of a run as training compiles it for an adapter. @throws TensorError `binding-limit` where a tensor does not fit one binding */
export const planPretraining = (options: PretrainOptions, target: Target): Plan => fitPretraining(options, target).plan;
