/** What object discovery costs, picture by picture: of each size kernels compile, so that some pictures of the data are tried, features included. */
import type { OpenBoxOptions } from '../../../image-sets/box-set';
import { discoverPicture } from '../../discovery/discover-set';
import { refuseInside, type SettingOptions, settingsOf } from '../../discovery/settings';
import type { CostQuestion, TaskCost } from '../task-cost';

export interface DiscoverCostOptions extends SettingOptions, OpenBoxOptions {
  readonly sweep?: boolean;
  readonly pictures?: number;
}

export async function discoverCost(
  { context }: CostQuestion,
  { sweep, pictures, ...options }: DiscoverCostOptions,
): Promise<TaskCost> {
  const { set, session } = await context.boxes({ ...options, ...(pictures !== undefined && { limit: pictures }) });
  refuseInside(session.weights, { ...options, ...(sweep && { sweep }) });
  const settings = settingsOf(options, session.model.config, session.weights);
  return {
    reads: [],
    work: [
      {
        name: `${set.dataset} ${set.split}, features included`,
        units: set.length,
        trial: (scale) => ({
          units: Math.min(scale, set.length),
          async run() {
            const some = Math.min(scale, set.length);
            for (let i = 0; i < some; i++)
              await discoverPicture(session, set, Math.floor((i * set.length) / some), settings);
          },
        }),
      },
    ],
    held: { host: 0, device: 0 },
    unknown: [
      'what of it is in the cache: counted as if nothing were',
      ...(sweep ? ['what --sweep tries besides, on a fifth of the pictures'] : []),
    ],
  };
}
