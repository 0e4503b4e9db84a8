/**
 * RASA as the first stage of `franca-train eval all`: the planes that come with the weights, else planes found one by one; position is read after each. What is
 * found is what evaluations of patches are then run with a second time.
 */
import { join } from 'node:path';
import type { EvalContext } from '../eval/context';
import type { DensePart, Parts } from '../eval/part';
import type { EvalResult, RunnableTask } from '../eval/task';
import { countedPlanes, noRasa, type RasaOfWeights } from '../features/rasa-of-weights';
import type { FeatureSession } from '../features/session';
import { fitOnImages } from './fit-on-images';
import { positionChart, positionReadings } from './position-readings';
import { writeRasa } from './write-rasa';

export interface RasaStage extends RunnableTask {
  /** The planes, once the stage has run; none where there is no position, the fit failed, or RASA is folded into the weights. */
  found(): RasaOfWeights;
}

/**
 * @param session without planes
 * @param brought RASA that the weights came with
 * @param folder where heads and folded checkpoint go that are fitted here, in a folder `rasa`; undefined: nowhere
 */
export function rasaStage(session: FeatureSession, brought: RasaOfWeights, folder: string | undefined): RasaStage {
  let found = noRasa;
  return {
    name: 'rasa',
    about: 'position in patch tokens, plane after plane removed',
    async run(context) {
      if (brought.folded) return saying('RASA is folded into the weights: no planes are fitted on top of it');
      if (brought.planes.length > 0) {
        const result = await readingsOf(session, context, brought);
        found = brought;
        return result;
      }
      const { rasa, result } = await fitted(session, context, folder);
      found = rasa;
      return result;
    },
    found: () => found,
  };
}

/** What is said on the screen stands on the page too. */
function saying(text: string, { records, section }: EvalResult = { records: [] }): EvalResult {
  console.log(text);
  return { records, section: { text, ...section } };
}

async function readingsOf(session: FeatureSession, context: EvalContext, rasa: RasaOfWeights): Promise<EvalResult> {
  const records = await positionReadings(context.backend, await partsOf(context), { bases: rasa.planes }, session);
  const charts = [{ figure: positionChart(records) }];
  const text = `RASA that comes with the weights: ${countedPlanes(rasa.planes.length)}; none are fitted on top of it`;
  return saying(text, { records, section: { charts } });
}

async function fitted(session: FeatureSession, context: EvalContext, folder: string | undefined) {
  const parts = await partsOf(context);
  const fit = await fitOnImages(session, parts.train, {});
  const records = await positionReadings(context.backend, parts, { bases: fit.bases, fit }, session);
  const result = { records, section: { charts: [{ figure: positionChart(records) }] } };
  if (fit.bases.length === 0)
    return {
      rasa: noRasa,
      result: saying(
        `RASA: least squares reads position with R2 ${fit.before.r2.toFixed(3)}, of which ${fit.before.chance.toFixed(3)} is chance: there are no planes to remove, and nothing is run a second time`,
        result,
      ),
    };
  if (folder) await writeRasa(join(folder, 'rasa'), session, fit);
  const { set } = parts.train;
  const note = `RASA: ${countedPlanes(fit.bases.length)} fitted on ${fit.images} images of ${set.dataset} ${set.split}`;
  const rasa: RasaOfWeights = { ...noRasa, planes: fit.bases, fittedAt: session.size, notes: [note] };
  return { rasa, result: saying(note, result) };
}

const partsOf = async (context: EvalContext): Promise<Parts<DensePart>> => ({
  train: await context.patches('train'),
  test: await context.patches('test'),
});
