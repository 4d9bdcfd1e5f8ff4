// The answer in words and bars.

function percent(share) {
  const number = share < 0.0005 ? "0" : (share * 100).toFixed(1);
  return `${share > 0.9995 ? "> 99.9" : number} %`; // 100 % would be more than any network knows
}

function makeBars(list) {
  return Array.from({ length: 10 }, (_, digit) => {
    const [fill, share] = [element("i", {}), element("span", { className: "share" })];
    const track = element("span", { className: "track" }, fill);
    const row = element("li", {}, element("b", {}, String(digit)), track, share);
    list.append(row);
    return { row, fill, share };
  });
}

// Without an answer they are empty.
function showBars(bars, answer) {
  const first = answer && ranking(answer)[0];
  bars.forEach(({ row, fill, share }, digit) => {
    row.classList.toggle("first", digit === first);
    fill.style.setProperty("--share", answer ? answer[digit] : 0);
    share.textContent = answer ? percent(answer[digit]) : "";
  });
}

// All digits from left to right, and how sure the current one is.
function showAnswer(answers, current) {
  const [first, second] = ranking(answers[current]);
  const digits = answers.map((answer, number) => {
    return element("span", { className: number === current ? "current" : "" }, String(ranking(answer)[0]));
  });
  find("digit").replaceChildren(...digits);
  find("digit").style.setProperty("--count", digits.length);
  find("sure").textContent = `${percent(answers[current][first])} sure${digits.length > 1 ? ` of the ${first}` : ""}`;
  find("second").textContent = runnerUp(second, answers[current][second]);
}

function showNoAnswer() {
  find("digit").textContent = "?";
  find("digit").style.setProperty("--count", 1);
  find("sure").textContent = "Nothing drawn";
  find("second").textContent = "Draw a digit, or take one from below.";
}

function runnerUp(digit, share) {
  if (share < 0.0005) return "No other digit comes near.";
  return `${share > 0.3 ? "It may as well be" : "Next comes"} ${digit}, ${percent(share)}.`;
}
