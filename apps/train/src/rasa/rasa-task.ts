/** RASA as the first stage of `franca-train eval all`: planes found one by one, position read after each. */
import { join } from 'node:path';
import type { RunnableTask } from '../eval/task';
import type { FeatureSession } from '../features/session';
import { fitOnImages } from './fit-on-images';
import { positionChart, positionReadings } from './position-readings';
import { writeRasa } from './write-rasa';

/** `folder`: where heads and folded checkpoint go, in a folder `rasa`; undefined: nowhere. */
export const rasaTask = (session: FeatureSession, folder: string | undefined): RunnableTask => ({
  name: 'rasa',
  about: 'position in patch tokens, plane after plane removed',
  async run(context) {
    const parts = { train: await context.patches('train'), test: await context.patches('test') };
    const { weights } = session;
    const fit = await fitOnImages(session, parts.train, {});
    const records = await positionReadings(context.backend, parts, fit, session);
    if (folder && fit.bases.length > 0) await writeRasa(join(folder, 'rasa'), weights, fit);
    return { records, section: { charts: [{ figure: positionChart(records) }] } };
  },
});
