/** The program of the campaign: all of it, or one stage of it. */
import { campaign } from './campaign';
import { parseOptions, USAGE } from './campaign-options';
import type { StageContext } from './stage';
import { openReport } from './stage-report';
import { STAGES } from './stages/index';

async function runStage(context: StageContext): Promise<number> {
  const report = openReport(context);
  const stage = STAGES.find(({ name }) => name === context.stage)!;
  try {
    await stage.run(context, report);
    report.end('done');
    return 0;
  } catch (error) {
    console.error(error);
    report.end('failed', error instanceof Error ? error.message : String(error));
    return 1;
  }
}

async function main([first, ...rest]: readonly string[]): Promise<number> {
  if (first === '--run-stage') return runStage(JSON.parse(rest[0]!) as StageContext);
  if (first === undefined || first === '--help' || first === '-h') {
    console.log(USAGE);
    return first === undefined ? 2 : 0;
  }
  try {
    return await campaign(parseOptions([first, ...rest]));
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
// a driver that hangs must not keep the process
setImmediate(() => process.exit());
