from aru_keras.runners.live.notebook import app as app
from aru_keras.runners.live.server import serve as serve
