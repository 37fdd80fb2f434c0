// The description of the API as a page, from openapi.json; nothing is loaded from elsewhere.
import { CHINESE } from "./docs_chinese.js";
import { hasWord, speak, spoken, usualLanguage, word } from "./words.js";

const byId = (id) => document.getElementById(id);

function element(kind, text, children = []) {
  const made = Object.assign(document.createElement(kind), text === null ? {} : { textContent: text });
  made.append(...children);
  return made;
}

/** What the description says, in the language of the page; words between backticks are code. */
function said(kind, text, around = (inner) => inner) {
  const known = spoken() === "zh" ? CHINESE[text] : text;
  const parts = around(known ?? text).split("`").map((part, index) => (index % 2 ? element("code", part) : part));
  return Object.assign(element(kind, null, parts), known ? {} : { lang: "en" });
}

function table(headings, rows) {
  const cells = headings.map((text) => Object.assign(element("th", text), { scope: "col" }));
  const body = rows.map((row) => element("tr", null, row.map((cell) => (cell instanceof Element ? element("td", null, [cell]) : element("td", cell)))));
  return element("table", null, [element("thead", null, [element("tr", null, cells)]), element("tbody", null, body)]);
}

function typeOf(schema) {
  const shown = schema.anyOf?.find((each) => each.type !== "null") ?? schema;
  const bounds = [shown.minimum ?? shown.exclusiveMinimum, shown.maximum ?? shown.exclusiveMaximum];
  const range = bounds.some((each) => each !== undefined) ? bounds.map((each) => each ?? "").join(" – ") : null;
  return (schema.enum ?? shown.enum)?.join(", ") ?? [shown.type, range].filter(Boolean).join(" ");
}

function operation(path, method, about) {
  const section = element("section", null, [element("h2", `${method.toUpperCase()} ${path}`), said("p", about.summary)]);
  if (about.description) section.append(said("p", about.description));
  if (about.requestBody) section.append(said("p", about.requestBody.description, (text) => word("docsBody", { text })));
  if (about.parameters?.length) {
    const rows = about.parameters.map((each) => [element("code", each.name), typeOf(each.schema), said("span", each.description ?? "")]);
    section.append(table(["docsParameter", "docsValues", "docsMeaning"].map((name) => word(name)), rows));
  }
  const answer = about.responses["200"] ?? about.responses["202"];
  const forms = Object.keys(answer?.content ?? {});
  if (forms.length) section.append(element("p", word("docsAnswers", { forms: forms.join(", ") })));
  const names = Object.keys(answer?.headers ?? {});
  if (names.length) section.append(element("p", word("docsHeaders", { names: names.join(", ") })));
  return section;
}

function refusal(status, about) {
  const kind = `problem-${about["x-type"]}`;
  const row = element("tr", null, [element("td", status), element("td", hasWord(kind) ? word(kind) : about.description)]);
  row.id = about["x-type"] ?? status;
  return row;
}

function show({ paths }) {
  const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, about]) => [path, method, about]));
  byId("operations").replaceChildren(...operations.map((each) => operation(...each)));
  const responses = Object.assign({}, ...operations.map(([, , about]) => about.responses));
  const refused = Object.entries(responses).filter(([status]) => status >= 400);
  byId("statuses").replaceChildren(...refused.map(([status, about]) => refusal(status, about)));
}

const command = document.querySelector(".command");
command.textContent = command.textContent.replaceAll("{server}", new URL(".", location.href).href);
byId("language").value = usualLanguage();
speak(byId("language").value);
const description = await (await fetch("openapi.json")).json();
show(description);
byId("language").addEventListener("change", (event) => {
  speak(event.target.value);
  show(description);
});
// A refusal's type leads to its row, which wasn't there when the browser looked for it.
if (location.hash) byId(location.hash.slice(1))?.scrollIntoView();
