/** Builds a layer in the folder it is given, and is killed at the point that its third argument names. */
import { migrate, openDatabase } from '../../src/database/database.ts';
import { armFault, parseFault } from '../../src/faults.ts';
import { testEngines } from './engines.ts';
import { checkoutFor, layersIn, requestOf } from './layers-stage.ts';

const [folder, url, fault, asked] = process.argv.slice(2) as [string, string, string, string];
armFault(parseFault(fault));
const database = openDatabase({ url });
await migrate(database);
const engine = testEngines().find(({ name }) => name === 'bubblewrap')!;
const { layers, workdir } = layersIn({ folder, database, engine: engine.engine });
const forge = `${folder}/forge.git`;
const checkout = await checkoutFor(workdir, forge, {});
await layers.forRun(requestOf(folder, { checkout, forge, image: null, asked: JSON.parse(asked) }));
