// Imported first by a script under test: writes its resource usage into the file named by USAGE when it exits.
import { writeFileSync } from 'node:fs';

process.on('exit', () => writeFileSync(process.env.USAGE, JSON.stringify(process.resourceUsage())));
