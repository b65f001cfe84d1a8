#!/usr/bin/env python3
"""The web page in headless Chromium, as a person uses it. Exit code 77 (skipped), with a line that
says why, where Chromium or Selenium is not installed:

    apt-get install chromium chromium-driver python3-selenium

With OPENCLIP_SCREENSHOTS=FOLDER it also writes screenshots there.
"""
import os
import pathlib
import shutil
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
sys.path.append("/usr/lib/python3/dist-packages")  # Debian's selenium, for other Pythons

from serve_support import Server  # noqa: E402
from support import ProgramTest  # noqa: E402

try:
    from selenium import webdriver
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
    MISSING = ""
except ImportError as error:
    MISSING = str(error)
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SHOTS = os.environ.get("OPENCLIP_SCREENSHOTS", "")
DEFAULT_MODEL = ROOT / "models/default"
SCENE = "../docs/pictures/scene.png"  # seen from samples/

# A drop of a file, as a browser makes it: headless Chromium has no mouse that holds one.
DROP = """
const [name, base64] = arguments, bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], name, {type: "image/png"}));
for (const kind of ["dragenter", "dragover", "drop"])
  document.body.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer}));
"""


def chromium(width=1280, height=860, language="en", dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                 f"--window-size={width},{height}", f"--lang={language}", "--force-device-scale-factor=1",
                 "--hide-scrollbars", "--disable-background-networking", "--no-first-run"):
        options.add_argument(flag)
    if dark:
        options.add_argument("--force-dark-mode")
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=webdriver.chrome.service.Service(DRIVER), options=options)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    return driver


class PageTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.env["OPENCLIP_DEFAULT_MODEL"] = str(DEFAULT_MODEL)
        self.env["OPENCLIP_CACHE"] = str(self.dir / "cache")
        self.expected = ()  # texts of console messages that a test provokes

    def start(self, *options, index=True, **browser):
        if index:
            self.succeed("index", ROOT / "samples", "--out", "samples.index")
            options = ("--index", "samples.index", *options)
        self.server = Server(self, *options)
        self.driver = chromium(**browser)
        self.addCleanup(self.driver.quit)
        self.addCleanup(self.no_console_errors)
        self.open("/")

    def no_console_errors(self):
        for entry in self.driver.get_log("browser"):
            if not any(text in entry["message"] for text in self.expected):
                self.fail("console: " + entry["message"])

    def open(self, path):
        self.driver.get(f"http://127.0.0.1:{self.server.port}{path}")

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def until(self, condition, what, seconds=20):
        # An element that the page replaces while it is read is not there: ask again.
        wait = WebDriverWait(self.driver, seconds, 0.05, ignored_exceptions=[StaleElementReferenceException])
        try:
            return wait.until(lambda _: condition())
        except WebDriverException as error:
            self.fail(f"{what}: {type(error).__name__}; page says {self.find('main').text[:600]!r}")

    def names(self):
        return [e.text for e in self.all("#grid .name")]

    def wait_for_names(self, check, what):
        def ready():
            names = self.names()
            return names if names and not self.all(".skeleton") and check(names) else None
        return self.until(ready, what)

    def search(self, text):
        box = self.find("#query")
        box.clear()
        box.send_keys(text, Keys.ENTER)
        self.until(lambda: self.all("#grid .score"), "no hits for " + text)

    def drop(self, name):
        import base64
        data = base64.b64encode((ROOT / "samples" / name).read_bytes()).decode()
        self.driver.execute_script(DROP, name, data)

    def shot(self, name):
        if SHOTS:
            self.until(lambda: self.driver.execute_script(
                "return [...document.images].every(i => i.complete)"), "pictures do not load")
            time.sleep(0.4)
            self.driver.save_screenshot(f"{SHOTS}/{name}.png")

    # --- search ---

    def test_browse_and_search_by_words(self):
        self.start()
        self.wait_for_names(lambda n: len(n) == 14, "all samples are listed at first")
        self.shot("browse")
        self.search("a red heart")
        self.wait_for_names(lambda n: n[0] == "heart.png", "the heart comes first")
        self.assertIn("q=a+red+heart", self.driver.current_url)
        self.until(lambda: self.find("#summary").text == "14 pictures", "the number of hits is told")
        scores = [float(e.text.split()[0]) for e in self.all("#grid .score")]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.shot("search")
        self.driver.back()
        self.wait_for_names(lambda n: not self.all("#grid .score"), "back leads to the list")

    def test_only_close_matches(self):
        self.start()
        self.search("a red heart")
        self.find("#cut + span").click()
        self.wait_for_names(lambda n: 0 < len(n) < 14, "far hits are cut off")
        self.assertIn("close=", self.driver.current_url)

    def test_drop_a_picture(self):
        self.start()
        self.wait_for_names(lambda n: len(n) == 14, "list")
        self.drop("guitar.png")
        self.wait_for_names(lambda n: n[0] == "guitar.png" and self.all("#grid .score"), "the same picture comes first")
        self.assertEqual(len(self.all("#chips .chip")), 1)
        self.find("#chips .chip button").click()
        self.wait_for_names(lambda n: not self.all("#grid .score"), "without it everything is listed")

    def test_more_like_this(self):
        self.start()
        self.search("a fish")
        first = self.names()[0]
        self.driver.execute_script("document.querySelector('#grid .more').click()")
        self.wait_for_names(lambda n: first not in n and len(n) == 13, "neighbours without the picture itself")
        self.assertIn("like=", self.driver.current_url)

    def test_details_and_less_like_this(self):
        self.start()
        self.search("a fruit")
        self.find("#grid .tile").click()
        self.until(lambda: self.find("#detail").get_attribute("open") is not None, "the dialog opens")
        self.assertTrue(self.find("#detail-path").text.endswith(".png"))
        self.shot("detail")
        self.find("#detail-less").click()
        self.until(lambda: self.all("#chips .chip.away"), "a chip for what is not wanted")
        self.wait_for_names(lambda n: len(n) == 13, "it is not listed")
        self.find("#grid .tile").click()
        self.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.until(lambda: self.find("#detail").get_attribute("open") is None, "Escape closes the dialog")

    def test_endless_scroll(self):
        for i in range(150):
            shutil.copy(ROOT / "samples" / ["cat.png", "car.png", "sun.png"][i % 3], self.dir / f"picture{i:03}.png")
        self.succeed("index", self.dir, "--out", "many.index")
        self.start("--index", "many.index", index=False)
        self.search("a cat")
        self.wait_for_names(lambda n: 60 <= len(n) < 150, "the first pages only")
        for _ in range(6):
            self.driver.execute_script("scrollTo(0, document.body.scrollHeight)")
            time.sleep(0.3)
        names = self.wait_for_names(lambda n: len(n) == 150, "the end is reached")
        self.assertEqual(len(set(names)), 150)

    # --- one picture ---

    def look(self, task, labels="", picture="cat.png"):
        self.open("/#/picture")
        self.until(lambda: self.find("#drop").is_displayed(), "the picture view opens")
        self.find(f"[value={task}] + span").click()
        self.find("#labels").send_keys(labels)
        self.drop(picture)
        self.until(lambda: self.find("#canvas").is_displayed(), "the picture is shown")

    def test_classify(self):
        self.start()
        self.look("classify", "a cat, a dog, a car")
        self.until(lambda: len(self.all("#answers li")) == 3, "three answers")
        self.assertEqual(self.find("#answers .word").text, "a cat")
        self.find("#labels").clear()
        self.find("#go").click()
        self.until(lambda: len(self.all("#answers li")) == 12, "the model's own words")
        self.shot("classify")

    def drawing(self):
        return self.find("#canvas").screenshot_as_base64

    def test_detect(self):
        self.start()
        self.look("detect", "umbrella, house, mushroom", SCENE)
        before = self.drawing()
        self.find("#go").click()
        self.until(lambda: self.all("#answers li"), "answers")
        words = [e.text for e in self.all("#answers .word")]
        self.assertLessEqual(set(words), {"umbrella", "house", "mushroom"})
        self.assertIn("umbrella", words)
        boxes = self.drawing()
        self.assertNotEqual(boxes, before, "boxes are drawn")
        self.shot("detect")
        self.driver.execute_script("document.querySelector('#answers button').focus()")
        self.until(lambda: self.drawing() != boxes, "the box of the answer in focus stands out")

    def test_nothing_is_detected(self):
        self.start()
        self.look("detect", "a motorcycle", "sun.png")
        self.find("#go").click()
        self.until(lambda: self.find("#look-problem").text == "None of these was found.", "it is told")

    def test_explain(self):
        self.start()
        self.look("explain", "an umbrella", SCENE)
        before = self.drawing()
        self.find("#go").click()
        self.until(lambda: self.drawing() != before, "a heat map is drawn")
        self.shot("explain")

    def test_from_a_name_to_its_place(self):
        self.start()
        self.look("classify", "a cat, a dog")
        self.until(lambda: len(self.all("#answers li")) == 2, "answers")
        before = self.drawing()
        self.find("#answers button").click()
        self.until(lambda: self.drawing() != before, "a heat map is drawn")
        self.assertEqual(self.find("#labels").get_attribute("value"), "a cat")
        self.assertTrue(self.find("[value=explain]").is_selected())

    def test_detect_by_keyboard_in_chinese(self):
        self.start()
        self.find("#language").click()
        self.look("classify", "", SCENE)
        self.driver.execute_script("document.querySelector('[value=classify]').focus()")
        self.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        self.assertTrue(self.find("[value=detect]").is_selected(), "arrows move between tasks")
        self.driver.switch_to.active_element.send_keys(Keys.TAB)
        self.assertEqual(self.driver.switch_to.active_element.get_attribute("id"), "labels")
        self.driver.switch_to.active_element.send_keys("雨伞，房子", Keys.ENTER)
        self.until(lambda: "雨伞" in [e.text for e in self.all("#answers .word")], "the umbrella is found")
        self.shot("detect-zh")

    # --- the rest ---

    def test_language_switch(self):
        self.start()
        self.assertEqual(self.find("#search-title").text, "Find pictures by what is in them")
        self.find("#language").click()
        self.assertEqual(self.find("#search-title").text, "用文字或图片找图")
        self.assertEqual(self.find("html").get_attribute("lang"), "zh-CN")
        self.assertEqual(self.find("#language").text, "English")
        self.search("鱼")
        self.wait_for_names(lambda n: n[0] == "fish.png", "Chinese words find the fish")
        self.shot("search-zh")
        self.open("/")
        self.assertEqual(self.find("#search-title").text, "用文字或图片找图", "the choice is kept")

    def test_no_word_is_missing(self):
        self.start()
        missing = self.driver.execute_async_script("""
          const done = arguments[0];
          import("/assets/i18n.js").then(m => {
            const bad = [];
            for (const name of ["en", "zh"]) {
              m.setLanguage(name);
              for (const e of document.querySelectorAll("*"))
                for (const [k, v] of Object.entries(e.dataset))
                  if (k.startsWith("i18n") && m.t(v) === undefined) bad.push(name + " " + v);
            }
            done(bad);
          });""")
        self.assertEqual(missing, [])

    def test_keyboard(self):
        self.start()
        self.wait_for_names(lambda n: len(n) == 14, "list")
        self.find("body").send_keys("/")
        self.assertEqual(self.driver.switch_to.active_element.get_attribute("id"), "query")
        self.driver.switch_to.active_element.send_keys("a car", Keys.ENTER)
        self.until(lambda: self.all("#grid .score"), "hits")
        self.wait_for_names(lambda n: n[0] == "car.png", "the car comes first")
        self.driver.execute_script("document.querySelector('.tile').focus()")
        self.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        second = self.all(".tile")[1]
        self.assertEqual(self.driver.switch_to.active_element, second)
        second.send_keys(Keys.ENTER)
        self.until(lambda: self.find("#detail").get_attribute("open") is not None, "Enter opens the details")

    def test_phone(self):
        self.start(width=390, height=844)
        self.wait_for_names(lambda n: len(n) == 14, "list")
        self.search("a hot drink")
        self.shot("phone-search")
        wide = self.driver.execute_script("return document.documentElement.scrollWidth")
        self.assertLessEqual(wide, 390, "the page scrolls sideways")
        self.find("#language").click()
        self.look("classify", "猫，狗，汽车")
        self.until(lambda: len(self.all("#answers li")) == 3, "answers")
        self.assertLessEqual(self.driver.execute_script("return document.documentElement.scrollWidth"), 390)
        self.shot("phone-picture-zh")

    def test_dark(self):
        self.start()
        light = self.find("body").value_of_css_property("background-color")
        self.find("#theme").click()
        self.assertNotEqual(self.find("body").value_of_css_property("background-color"), light)
        self.search("the sun")
        self.shot("dark")

    # --- when something is wrong ---

    def test_without_an_index(self):
        self.start(index=False)
        self.until(lambda: self.find("#drop").is_displayed(), "the picture view is what can be used")
        self.find("[data-view=search]").click()
        self.until(lambda: "openclip index" in self.find("#search-problem").text, "it says what to do")
        self.shot("no-index")

    def test_server_that_stops(self):
        self.expected = ("ERR_CONNECTION_REFUSED", "Failed to load resource")
        self.start()
        self.wait_for_names(lambda n: len(n) == 14, "list")
        self.server.signal()
        self.server.wait()
        self.find("#query").send_keys("a cat", Keys.ENTER)
        self.until(lambda: "does not answer" in self.find("#search-problem").text, "the error is told")
        self.assertTrue(self.find("#search-problem button").is_displayed())
        self.shot("error")

    def test_files_that_are_no_pictures(self):
        self.start()
        self.look("classify", "a cat")
        self.driver.execute_script(DROP, "a.png", "bm8gcGljdHVyZQ==")
        self.until(lambda: "no picture" in self.find("#look-problem").text, "the error is told")

    def test_labels_that_are_missing(self):
        self.start()
        self.look("detect")
        for task in ("detect", "explain"):
            self.find(f"[value={task}] + span").click()
            self.find("#go").click()
            self.until(lambda: "at least one label" in self.find("#look-problem").text, "the error is told")

    def test_server_that_stops_before_detecting(self):
        self.expected = ("ERR_CONNECTION_REFUSED", "Failed to load resource")
        self.start()
        self.look("detect", "a cat")
        self.server.signal()
        self.server.wait()
        self.find("#go").click()
        self.until(lambda: "does not answer" in self.find("#look-problem").text, "the error is told")
        self.assertTrue(self.find("#look-problem button").is_displayed())

    def test_api_key(self):
        self.expected = ("401 (Unauthorized)",)
        self.start("--api-key", "secret")
        self.until(lambda: self.find("#key").is_displayed(), "the key is asked for")
        self.find("#key").send_keys("wrong", Keys.ENTER)
        self.until(lambda: self.find("#key").get_attribute("placeholder") == "This key is not known here.", "wrong key")
        self.find("#key").send_keys("secret", Keys.ENTER)
        self.wait_for_names(lambda n: len(n) == 14, "the list after the key")
        self.until(lambda: self.driver.execute_script(
            "return [...document.querySelectorAll('#grid img')].some(i => i.naturalWidth > 0)"), "pictures with a key")


if __name__ == "__main__":
    if MISSING or not CHROMIUM or not DRIVER:
        print(f"skipped: {MISSING or 'chromium and chromedriver are not installed'}; "
              "apt-get install chromium chromium-driver python3-selenium")
        sys.exit(77)
    unittest.main()
