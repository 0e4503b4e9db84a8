/**
 * All evaluations of one model, those of patch tokens without RASA and with it. Planes are taken away after extraction, so that the second run reads the same
 * cached features, and both stand in one table: records name the planes in `features`.
 */
import type { EvalBackend } from '@franca/evals';
import { type EvalContext, openContext } from '../eval/context';
import { type RunResults, runTasks } from '../eval/run';
import type { ContextOptions, SharedSets } from '../eval/shared-sets';
import type { EvalTask, RunnableTask } from '../eval/task';
import { noRasa } from '../features/rasa-of-weights';
import { type FeatureSession, sessionWith } from '../features/session';
import { rasaStage } from './rasa-stage';

export interface Place {
  readonly backend: EvalBackend;
  readonly data: ContextOptions;
  readonly shared: SharedSets;
  /** Where planes go that are fitted here, in a folder `rasa`; undefined: nowhere. */
  readonly folder: string | undefined;
}

/** RASA, then all of `evaluations`; what fails is left out. `model`: the name of what stands first in each pair of runs. */
export async function runBeforeAndAfter(
  opened: FeatureSession,
  evaluations: readonly EvalTask[],
  { backend, data, shared, folder }: Place,
): Promise<RunResults & { readonly model: string }> {
  const brought = opened.weights.rasa;
  const session = brought.folded ? opened : sessionWith(opened, noRasa);
  await using context = openContext(session, backend, data, shared);
  if (brought.planes.length === 0) for (const note of brought.notes) console.log(`note: ${note}`);
  const stage = rasaStage(session, brought, folder);
  const first = await runTasks(context, [stage], {}, true);
  const found = stage.found();
  await using second =
    found.planes.length > 0 ? openContext(sessionWith(session, found), backend, data, shared) : undefined;
  if (second) for (const line of secondRunLines(evaluations)) console.log(line);
  const rest = await runTasks(context, inPairs(evaluations, second), {}, true);
  return {
    model: session.weights.name,
    records: [...first.records, ...rest.records],
    sections: [...first.sections, ...rest.sections],
    failed: [...first.failed, ...rest.failed],
  };
}

/** Each evaluation, and the same once more in `second` where it reads what planes change and has something to read. */
function* inPairs(evaluations: readonly EvalTask[], second: EvalContext | undefined): Generator<RunnableTask> {
  for (const task of evaluations) {
    let done = false;
    yield {
      ...task,
      async run(context, options) {
        const result = await task.run(context, options);
        done = true;
        return result;
      },
    };
    const { name, about, rasa } = task;
    if (done && second && rasa && !('leftOut' in rasa))
      yield { name: `${name} with RASA`, about, run: () => task.run(second, rasa.options) };
  }
}

/** Which evaluations run twice, and which do not and why. */
function secondRunLines(evaluations: readonly EvalTask[]): string[] {
  const twice: string[] = [];
  const once: string[] = [];
  for (const { name, rasa } of evaluations) {
    if (rasa && 'leftOut' in rasa) once.push(`${name}: ${rasa.leftOut}`);
    else if (rasa) twice.push(rasa.limited === undefined ? name : `${name} (${rasa.limited})`);
  }
  return [`a second time with the planes removed: ${twice.join(', ')}`, `once: ${once.join('; ')}`];
}
