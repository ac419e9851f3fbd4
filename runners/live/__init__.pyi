from aru_keras.runners.live.page import app as app
from aru_keras.runners.live.server import serve as serve
