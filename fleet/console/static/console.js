// What keeps a page of the console true: ages every second, news as they come, commands when asked.

import { tick } from "./ages.js";
import { startBoard } from "./board.js";
import { startCommands } from "./commands.js";
import { startConfirming } from "./confirm.js";
import { startIncidents } from "./incidents.js";
import { startPage } from "./page.js";

tick();
setInterval(tick, 1000);
startCommands();
startIncidents();
startConfirming();
const start = document.body.dataset.page === "board" ? startBoard : startPage;
start(document.body.dataset.events);
