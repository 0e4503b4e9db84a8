/**
 * One of the processes that `main.ts` starts: measures what exchanges take, then steps of pretraining, each beside what it is expected to take. Rank 0 prints
 * all of it as a line of JSON.
 */
import { type Communicator, openCommunicator } from '@franca/collective';
import { fitPretraining } from '@franca/pretraining';
import { type ExchangeRates, type Gpu, type KernelRates, type Plan, type Rate, timeline } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { derive, loadConfig } from 'franca-train';
import { watchOtherLoad } from '../machine-load';
import { median } from '../measure';
import { openStep } from '../pretraining-step';
import { measureExchanges, ratesFrom } from './measure-exchanges';
import { measureStaging } from './measure-staging';
import { type RankJob, type RankReport, REPORT_MARK, type StepTimes } from './report';

const STAGED = [1024, 2 * 2 ** 20, 25 * 2 ** 20];
/** Of a replay on the null backend, as the other benchmarks measure it. */
const ENCODE_SECONDS = 2e-6;
const SLOWED: readonly string[] = ['launchSeconds', 'serialSeconds'];

const job = JSON.parse(process.argv[2]!) as RankJob;
const [otherLoad, began] = [watchOtherLoad(), performance.now()];
await using ranks = await openCommunicator();
await using gpu = await openGpu({ robustness: false });
const staging = [];
for (const bytes of STAGED) staging.push(await measureStaging(gpu, bytes));
const exchanges = ranks.size > 1 ? await measureExchanges(ranks) : [];
const [small, , large] = staging;
const rates = {
  mapSeconds: small!.read,
  read: large!.bytes / (large!.read - small!.read),
  write: large!.bytes / (large!.write - small!.write),
  encodeSeconds: ENCODE_SECONDS,
  ...(ranks.size > 1 ? ratesFrom(exchanges, ranks.size) : {}),
};
const steps: StepTimes[] = [];
for (const model of job.models) steps.push(await timeStep(gpu, ranks, model));
const report: RankReport = {
  ranks: ranks.size,
  adapter: gpu.target.name,
  staging,
  exchanges,
  rates,
  steps,
  otherLoad: await loadOfOthers(),
};
if (ranks.rank === 0) console.log(`${REPORT_MARK}${JSON.stringify(report)}`);

/** Processors that neither this rank nor another one kept busy. */
async function loadOfOthers(): Promise<number> {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1000 / (performance.now() - began);
  const all = new Float64Array(1);
  await ranks.allReduce(Float64Array.of(own), all);
  return Math.max(0, otherLoad() - (all[0]! - own));
}

async function timeStep(gpu: Gpu, ranks: Communicator, model: RankJob['models'][number]): Promise<StepTimes> {
  const { config } = loadConfig(['cpu-tiny'], [...model.overrides]);
  const options = derive(config, { size: ranks.size, rank: ranks.rank, f16: false });
  const fitted = fitPretraining(options, gpu.target);
  using opened = await openStep(gpu, fitted, ranks);
  const { step, batch, knobs } = opened;
  step.run(batch, knobs);
  await step.done();
  const runs: number[] = [];
  for (let run = 0; run < job.runs; run++) {
    await ranks.barrier();
    const began = performance.now();
    step.run({}, knobs);
    await step.done();
    runs.push((performance.now() - began) / 1000);
  }
  const { seconds, exposedSeconds, communicationSeconds, computeSeconds, exchanges, bytes } = expectedTimes(
    step.plan,
    model.slowness,
  );
  return {
    name: model.name,
    seconds: median(runs),
    fastest: Math.min(...runs),
    expected: { seconds, computeSeconds, exposedSeconds, communicationSeconds },
    exchanges: exchanges.length,
    bytes,
  };
}

/** As the model has it, with the rates that were just measured. */
function expectedTimes({ steps, target }: Plan, slowness: number): ReturnType<typeof timeline> {
  const kernelRates = Object.fromEntries(
    Object.entries(target.rates).map(([name, rate]) => {
      const factor = SLOWED.includes(name) ? slowness : name === 'processors' ? 1 : 1 / slowness;
      return [name, { ...rate, value: rate.value * factor }];
    }),
  ) as KernelRates;
  const rate = (value: number): Rate => ({ value, source: 'measured' });
  const measured = Object.fromEntries(Object.entries(rates).map(([name, value]) => [name, rate(value)]));
  // nothing leaves the node, and one rank sends nothing at all
  const [none, endless] = [rate(0), rate(Number.POSITIVE_INFINITY)];
  const unmeasured = {
    ...{ link: endless, linkSeconds: none, memory: endless, memorySeconds: none },
    ...{ callSeconds: none, reduce: endless, logSumExp: endless },
  };
  const links: ExchangeRates = { ...unmeasured, ...(measured as Omit<ExchangeRates, keyof typeof unmeasured>) };
  return timeline(
    { steps, target: { ...target, rates: kernelRates } },
    { ranks: ranks.size, ranksPerNode: ranks.size, rates: links },
  );
}
