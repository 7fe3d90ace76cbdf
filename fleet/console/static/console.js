// What keeps a page of the console true: ages every second, news as they come, commands when asked.

import { tick } from "./ages.js";
import { startBoard, startDay } from "./board.js";
import { startCommands } from "./commands.js";
import { startConfirming } from "./confirm.js";
import { startIncidents } from "./incidents.js";
import { startPage } from "./page.js";
import { startToday } from "./today.js";

tick();
setInterval(tick, 1000);
startCommands();
startIncidents();
startConfirming();
startToday();
const starts = { board: startBoard, today: startDay };
(starts[document.body.dataset.page] ?? startPage)(document.body.dataset.events);
document.body.dataset.listens = ""; // what is pressed from now on is heard
